/* For ../tls-initial-exec.c. */
__thread int elsewhere = 4;
