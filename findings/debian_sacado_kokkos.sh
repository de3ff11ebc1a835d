#!/usr/bin/env bash
# Debian 12's libtrilinos-sacado-dev 13.2.0-4 cannot be compiled with: its headers include Kokkos_Macros.hpp, and it does
# not depend on libtrilinos-kokkos-dev, which has that file.
#
# Sacado's operator overloading needs no Kokkos by itself, but the package was built with it, and its Sacado_ConfigDefs.h
# says so. Whoever looks whether Sacado can be compiled with finds its headers, and a missing file of another library.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# What a user gets who installs the package: its dependencies of this release, and theirs, as far as they are Trilinos's.
packages=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances libtrilinos-sacado-dev=13.2.0-4 | grep --extended-regexp --only-matching '^(lib)?trilinos[a-z0-9.-]*' | sort -u)
echo "installed with it: $(echo $packages)"
[[ $packages != *kokkos-dev* ]]
apt-get download -o APT::Sandbox::User=root --quiet=2 libtrilinos-sacado-dev=13.2.0-4 libtrilinos-kokkos-dev=13.2.0-4 \
    $(for package in $packages; do [ "$package" = libtrilinos-sacado-dev ] || echo "$package=13.2.0-4"; done)
for package in $packages; do dpkg --extract "$package"_*.deb root; done
echo '#include <Sacado_trad.hpp>' > program.cpp

c++ -Iroot/usr/include/trilinos -E program.cpp > /dev/null 2> errors && exit 1
grep --only-matching 'Kokkos_Macros.hpp: No such file or directory' errors

dpkg --extract libtrilinos-kokkos-dev_*.deb root
c++ -Iroot/usr/include/trilinos -E program.cpp > /dev/null
echo "with libtrilinos-kokkos-dev it compiles"
