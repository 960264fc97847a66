/* EXPECT refused link-time optimization is not supported */
/* FLAGS -flto -ffat-lto-objects */
/* OPT -O2 */
/* LINK object */
int use(int x)
{
#ifdef NEW
	return x * 3;
#else
	return x * 2;
#endif
}
int main(int argc, char **argv) { return use(argc); }
