/* For ../tls-relaxed.c. */
__thread int elsewhere = 4;
