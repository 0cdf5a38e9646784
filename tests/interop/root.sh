#!/bin/bash
# A file system of its own for a mail server.
#
# Debian's mail servers exclude one another as packages, so each is installed into a layer over the machine's own
# files, and the machine itself is left as it was. What runs in a root has its own mounts and process ids, shares the
# network (loopback is enough), and dies whole when the process that started it is killed.
#
#   root.sh install LAYER PACKAGE...        make LAYER, a folder, hold these packages
#   root.sh run LAYER SHARE SECONDS COMMAND...
#                                           run COMMAND over LAYER, at most SECONDS; folder SHARE appears as /peer, and
#                                           whatever else COMMAND writes is forgotten when it ends
#
# Needs root and overlayfs; LAYER must not lie under /etc, /usr or /var. Exit status 97: this machine cannot make such a root.
set -u
umask 022

# Runs as process 1 of the new namespaces. $1 install|run, $2 LAYER, $3 SHARE, $4 SECONDS, then the command.
inside=$(cat <<'INSIDE'
mode=$1 layer=$2 share=$3 seconds=$4; shift 4
mount -t tmpfs -o mode=755 tmpfs "$layer/mnt" || exit 97
root=$layer/mnt/root
mkdir -p "$root"/{dev,home,peer,proc,root,run,tmp} && chmod 1777 "$root/tmp" || exit 97
for name in /bin /sbin /lib*; do
    [ -L "$name" ] && cp -P "$name" "$root/"
done
# One overlay per tree, because one over all of / would lie over its own layer.
for name in etc usr var; do
    if [ "$mode" = install ]; then
        upper=$layer/files/$name work=$layer/scratch/$name lower=/$name
    else
        upper=$layer/mnt/upper/$name work=$layer/mnt/scratch/$name lower=$layer/files/$name:/$name
    fi
    mkdir -p "$root/$name" "$upper" "$work" || exit 97
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$work" "$root/$name" || exit 97
done
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 97
mount -t tmpfs -o mode=755 tmpfs "$root/run" && mkdir -p "$root/run/lock" || exit 97
if [ "$mode" = install ]; then
    cp -L /etc/resolv.conf "$root/run/resolv.conf" 2>/dev/null
    [ -L /etc/resolv.conf ] && mount --bind "$root/run/resolv.conf" "$(realpath -m "$root/etc/resolv.conf")" 2>/dev/null
else
    mount --bind "$share" "$root/peer" || exit 97
    # A queue of the machine's own mail server must not be seen, let alone be delivered, from here.
    mount -t tmpfs -o mode=755 tmpfs "$root/var/spool" || exit 97
    # Names come from this file alone: nothing that runs here asks a name server.
    printf '127.0.0.1 localhost %s\n' "$(uname -n)" > "$root/etc/hosts"
    sed -i 's/^hosts:.*/hosts: files/' "$root/etc/nsswitch.conf"
fi
keep=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
for name in http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY; do
    [ "$mode" = install ] && [ -n "${!name:-}" ] && keep+=("$name=${!name}")
done
exec timeout --signal=KILL "$seconds" chroot "$root" /usr/bin/env -i "${keep[@]}" "$@"
INSIDE
)

enter() {
    # Killing unshare kills process 1 of the namespace, and that takes everything in it along.
    exec unshare --mount --pid --fork --kill-child=SIGKILL --propagation private \
        bash -c "$inside" inside "$@"
}

case ${1:-} in
install)
    layer=$2; shift 2
    mkdir -p "$layer/files" "$layer/mnt" || exit 97
    enter install "$layer" - 600 bash -c '
        printf "#!/bin/sh\nexit 101\n" > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
        apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confnew "$@" && apt-get clean' install "$@"
    ;;
run)
    [ -d "$2/files" ] || exit 97
    shift
    enter run "$@"
    ;;
*)
    echo "usage: $0 install LAYER PACKAGE... | run LAYER SHARE SECONDS COMMAND..." >&2
    exit 2
    ;;
esac
