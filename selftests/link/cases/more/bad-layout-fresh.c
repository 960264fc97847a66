struct pair {
	int a;
	char c;
#ifdef NEW
	char d;
#endif
};

static struct pair one = { 1, 2 };

struct pair *get(void) { return &one; }
int first(struct pair *p) { return p->a + p->c; }
#ifdef NEW
int second(struct pair *p) { return p->d; }
#endif
