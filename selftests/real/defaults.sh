# shellcheck shell=bash disable=SC2034
# What a program's and a fix's description may leave out. Sourced before them.
about='' package='' patches='' base='' packages='' borrowed=''
target='' build='' remake='' whole=''
survey_build='' survey_target='' survey_packages=''
expect=applied reason=''
transient='' ends=0 some=300
