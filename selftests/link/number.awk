# SPDX-License-Identifier: GPL-2.0
# TAP of several writers, "ok - ..." and "not ok - ...": numbers its lines and
# closes with the plan and the counts. Status 1 if a case failed or none ran.
/^ok - /	{ sub(/^ok/, "ok " ++n) }
/^not ok - /	{ sub(/^not ok/, "not ok " ++n); failed++ }
{ print; fflush() }
END {
	print "1.." n + 0
	print "# " n - failed " passed, " failed + 0 " failed"
	exit !n || failed
}
