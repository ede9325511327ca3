#!/usr/bin/env bash
# Installs kerasface and the service on 64-bit Raspberry Pi OS, from wheels only.
#
#     sudo ./install.sh KERASFACE_WHEEL EMBEDDER.tflite
#
# EMBEDDER.tflite.json is taken with it. Run it again to install a newer wheel or another embedder. With DESTDIR set, all
# goes below that folder and the system is left alone.
set -euo pipefail

if [ $# -ne 2 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0"
  exit 2
fi
wheel=$(realpath -m "$1") embedder=$(realpath -m "$2") root=${DESTDIR:+$(realpath -m "$DESTDIR")}
home=$root/opt/kerasface state=$root/var/lib/kerasface units=$root/etc/systemd/system

for file in "$wheel" "$embedder" "$embedder.json"; do
  [ -f "$file" ] || { echo "no such file: $file" >&2; exit 1; }
done
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "Python 3.11 or newer is needed: Raspberry Pi OS has it since 12 (bookworm)." >&2; exit 1; }
if [ -z "$root" ]; then
  [ "$(uname -m)" = aarch64 ] ||
    { echo "64-bit Raspberry Pi OS is needed (aarch64): LiteRT has no wheel for $(uname -m)." >&2; exit 1; }
  [ "$(id -u)" = 0 ] || { echo "run it as root: sudo $0 $*" >&2; exit 1; }
fi
cd "$(dirname "$0")"

mkdir -p "$home" "$state/inbox" "$units"
python3 -m venv "$home"
install=("$home/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all:)
"${install[@]}" -r requirements.txt
# pip would keep a kerasface of the same version.
"${install[@]}" --no-deps --force-reinstall "$wheel"
"$home/bin/python" -m pip check
cp identify_inbox.py README.md "$home/"
cp kerasface-identify.service "$units/"
cp "$embedder" "$state/embedder.tflite"
cp "$embedder.json" "$state/embedder.tflite.json"
KERASFACE_CACHE=$state/cache "$home/bin/kerasface" assets get

if [ -z "$root" ]; then
  # The group outlives the user where somebody else is in it.
  getent group kerasface >/dev/null || groupadd --system kerasface
  id kerasface >/dev/null 2>&1 ||
    useradd --system --gid kerasface --home-dir "$state" --shell /usr/sbin/nologin kerasface
  chown -R kerasface:kerasface "$state"
  chmod 750 "$state"
  chmod 2770 "$state/inbox"
  systemctl daemon-reload
  systemctl try-restart kerasface-identify
fi
echo "Installed. Ask the people first, then enroll them and start the service: $home/README.md says how."
