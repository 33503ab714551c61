#!/usr/bin/env bash
# A stand-in for AWS's base image of Python functions where its registry can't be reached: Debian's packages, the Python
# of this machine, AWS's runtime client, and the same way in. Needs root, debootstrap and a container engine.
# Usage: stand_in_base.sh FOLDER PYTHON_PREFIX CLIENT_FOLDER TAG...
#   PYTHON_PREFIX  where this machine's Python lies        CLIENT_FOLDER  where `awslambdaric` is installed
set -euo pipefail
folder=$1 python=$2 client=$3
shift 3
root=$folder/root

if [ ! -e "$folder/debian.done" ]; then
  rm -rf "$root"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  packages=ca-certificates,libssl3,libffi8,libsqlite3-0,libreadline8,libbz2-1.0,liblzma5,zlib1g,libstdc++6,libgomp1
  debootstrap --variant=minbase --include="$packages" "$release" "$root" "$mirror" > "$folder/debootstrap.log"
  touch "$folder/debian.done"
fi

# This machine's Python, without what other projects installed into it; its scripts name the place where it lay.
version=$("$python/bin/python3" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}")')
cp -a "$python/bin" "$python/lib" "$root/usr/local/"
library=$root/usr/local/lib/$version
rm -rf "$library/test" "$library"/config-*
find "$library/site-packages" -mindepth 1 -maxdepth 1 ! -name 'pip*' -exec rm -rf {} +
mkdir -p "$root$(dirname "$python")"
ln -sfn /usr/local "$root$python"

# pip asks the same registry, and trusts the same authorities, as on this machine.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
if [ -f /etc/pip.conf ]; then cp /etc/pip.conf "$root/etc/"; fi

mkdir -p "$root/var/task" "$root/var/runtime" "$root/var/rapid" "$root/opt"
for part in awslambdaric runtime_client snapshot_restore_py simplejson; do
  cp -a "$client"/"$part"* "$root/var/runtime/"
done
cat > "$root/var/runtime/bootstrap" <<'SCRIPT'
#!/bin/sh
export PYTHONPATH="${LAMBDA_TASK_ROOT}:/opt/python:/var/runtime${PYTHONPATH:+:$PYTHONPATH}"
exec python3 -m awslambdaric "${_HANDLER}"
SCRIPT
cat > "$root/lambda-entrypoint.sh" <<'SCRIPT'
#!/bin/sh
export _HANDLER="$1"
exec /var/runtime/bootstrap
SCRIPT
chmod 755 "$root/var/runtime/bootstrap" "$root/lambda-entrypoint.sh"

image=$(tar -C "$root" -c . | docker import \
  -c 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime LANG=en_US.UTF-8 TZ=:/etc/localtime' \
  -c 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin LD_LIBRARY_PATH=/usr/local/lib' \
  -c 'WORKDIR /var/task' -c 'ENTRYPOINT ["/lambda-entrypoint.sh"]' -)
for tag in "$@"; do docker tag "$image" "$tag"; done
