#!/bin/bash
# Sees to what pip cannot install: `python PROGRAM` (Python 3.11 that can make a .venv), `java` (Java and Maven for the
# tests with Apache Kafka), `browser` (Chromium and Chinese fonts for the boards' tests and pictures) or `node` (Node and
# npm, for tests beside Grafana's own library). As root on Debian it installs what is missing, else it says what to install.
set -euo pipefail

install() {
    if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        echo "installing $* with apt-get" >&2
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q update >&2
        apt-get -q -y install --no-install-recommends "$@" >&2
    else
        echo "missing: install $* (on Debian and as root: apt-get install $*), then run make again" >&2
        exit 2
    fi
}

makes_environments() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null
}

has_chinese_fonts() {
    command -v fc-list >/dev/null && [[ -n $(fc-list :lang=zh family) ]]
}

case "${1:-}" in
    python)
        program="${2:?name the Python program}"
        makes_environments "$program" || install python3.11 python3.11-venv
        makes_environments "$program" || { echo "$program is not Python 3.11: run make PYTHON=…" >&2; exit 2; }
        ;;
    java)
        packages=()
        command -v java >/dev/null || packages+=(default-jre-headless)
        command -v mvn >/dev/null || packages+=(maven)
        [[ ${#packages[@]} -eq 0 ]] || install "${packages[@]}"
        ;;
    browser)
        packages=()
        command -v chromium >/dev/null || packages+=(chromium)
        has_chinese_fonts || packages+=(fontconfig fonts-noto-cjk)
        [[ ${#packages[@]} -eq 0 ]] || install "${packages[@]}"
        ;;
    node)
        packages=()
        command -v node >/dev/null || packages+=(nodejs)
        command -v npm >/dev/null || packages+=(npm)
        [[ ${#packages[@]} -eq 0 ]] || install "${packages[@]}"
        ;;
    *)
        echo "usage: $0 python PROGRAM | java | browser | node" >&2
        exit 2
        ;;
esac
