cd /work/main/selftests; export HPKM_SELFTESTS=/work/main/build/selftests
t() { local a=$(date +%s%N); "$@" >/dev/null 2>&1; echo "$(( ($(date +%s%N)-a)/1000000 )) ms: $*" | cut -c1-150; }
t true; t /bin/true; t hpkm-list; t hpkm-list --json
mkfifo /tmp/f; nice -n 19 $HPKM_SELFTESTS/pie/load -s /tmp/st -b 2 <>/tmp/f & pid=$!
sleep 1
t /bin/true; t hpkm-list; t hpkm-list --json
for i in 1 2 3; do
t hpkm-apply $HPKM_SELFTESTS/pie/v2.hpkm --pid $pid
t $HPKM_SELFTESTS/stats /tmp/st runs 2
t hpkm-revert v2 --pid $pid
done
t nm $HPKM_SELFTESTS/pie/load
t python3 -c pass
t python3 -c pass
kill $pid
