# shellcheck shell=bash disable=SC2034
# How many points a program has, on the host and in the virtual machine.
host_points=4
guest_points=5
