# shellcheck shell=bash
# How many points guest reports for each fix.
# shellcheck disable=SC2034
guest_points=10
