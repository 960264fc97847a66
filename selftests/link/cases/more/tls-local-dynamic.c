/* For ../tls-local-dynamic.c. */
__thread int elsewhere = 4;
