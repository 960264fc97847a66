# testfixture.tcl DIR FILE...: waits for a line, then runs these of upstream's test files
# in DIR, all in this process.
puts ready
flush stdout
gets stdin
set testdir [lindex $argv 0]
set files [lrange $argv 1 end]
set argv0 $testdir/identity.test
set argv {}
source $testdir/permutations.test
run_tests identity -files $files
finish_test
