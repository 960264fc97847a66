/* For ../tls-library.c. */
__thread int elsewhere = 4;
