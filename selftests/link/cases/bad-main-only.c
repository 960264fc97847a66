/* EXPECT refused main: nothing changes but what runs only when a process starts */
/* WARNS main: left as it is: it is entered once */
/* LINK main */
#include <stdio.h>
int main(int argc, char **argv)
{
#ifdef NEW
	puts("new");
#else
	puts("old");
#endif
	return 0;
}
