# sqlite3.tcl DIR FILE...: the statements in these of upstream's test files in DIR, as
# far as they can be told without running any, for SQLite's shell.
set testdir [lindex $argv 0]
set files [lrange $argv 1 end]
set argv0 $testdir/select1.test

# What has another answer each time is left out.
proc emit {sql} {
	if {![regexp -nocase {random|'now'|current_} $sql]} { puts "$sql\n;" }
}
proc execsql {sql args} { emit $sql; return {} }
proc catchsql {sql args} { emit $sql; return {} }
proc db {what args} {
	if {$what in {eval onecolumn one exists}} { emit [lindex $args 0] }
	return 0
}
proc do_test {name body args} {
	puts ".print $name"
	catch {uplevel #0 $body}
}
proc do_sql {args} {
	if {[lindex $args 0] eq "-db"} { set args [lrange $args 2 end] }
	puts ".print [lindex $args 0]"
	emit [lindex $args 1]
}
foreach name {do_execsql_test do_catchsql_test do_eqp_test} {
	interp alias {} $name {} do_sql
}
proc ifcapable {what body args} { catch {uplevel 1 $body} }
rename source read_file
proc source {args} {}
proc unknown {args} { return {} }
proc finish_test {} { return -code return }

foreach file $files {
	puts ".open :memory:"
	catch {read_file $testdir/$file.test}
	puts ".tables\n.indexes\n.schema\n.dump\n.sha3sum\n.headers on"
	foreach mode {ascii box csv column html insert json line list markdown quote
		      table tabs tcl} {
		puts ".mode $mode\nSELECT * FROM t1 LIMIT 4;"
	}
	puts ".headers off\n.mode list"
}
