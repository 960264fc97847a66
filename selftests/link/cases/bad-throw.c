/* EXPECT refused f: it throws an exception */
/* OPT -O2 */
/* LINK pie */
/* What a throw expression of C++ comes to. */
#include <stdio.h>
#include <unwind.h>
static struct _Unwind_Exception exception;
__attribute__((noipa)) int f(int x)
{
#ifdef NEW
	if (x < 0)
		_Unwind_RaiseException(&exception);
#endif
	return x + (exception.exception_class != 0);
}
void run_case(FILE *out) { fprintf(out, "%d\n", f(3)); }
