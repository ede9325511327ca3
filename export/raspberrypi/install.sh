#!/usr/bin/env bash
# Installs kerasface and the service on 64-bit Raspberry Pi OS, from wheels only.
#
#     sudo ./install.sh KERASFACE_WHEEL EMBEDDER.tflite
#
# EMBEDDER.tflite.json is taken with it. With DESTDIR set, all goes below that folder and the system is left alone.
set -euo pipefail
cd "$(dirname "$0")"

if [ $# -ne 2 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0"
  exit 2
fi
wheel=$1 embedder=$2 root=${DESTDIR:-}
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

mkdir -p "$home" "$state/inbox" "$units"
python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r requirements.txt "$wheel"
"$home/bin/python" -m pip check
cp identify_inbox.py README.md "$home/"
cp kerasface-identify.service "$units/"
cp "$embedder" "$state/embedder.tflite"
cp "$embedder.json" "$state/embedder.tflite.json"
KERASFACE_CACHE=$state/cache "$home/bin/kerasface" assets get

if [ -z "$root" ]; then
  id kerasface >/dev/null 2>&1 || useradd --system --home-dir "$state" --shell /usr/sbin/nologin kerasface
  chown -R kerasface:kerasface "$state"
  chmod 750 "$state"
  systemctl daemon-reload
fi
cat <<'END'
Installed. Ask the people first, then enroll them and start the service:
  sudo -u kerasface KERASFACE_CACHE=/var/lib/kerasface/cache /opt/kerasface/bin/kerasface enroll \
    /var/lib/kerasface/embedder.tflite PEOPLE/ --gallery /var/lib/kerasface/gallery.kfg
  sudo systemctl enable --now kerasface-identify
END
