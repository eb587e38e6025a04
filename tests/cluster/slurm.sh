#!/usr/bin/env bash
# A throw-away SLURM of two nodes on the loopback of this machine; needs munged, slurmctld, slurmd and root.
#
#   slurm.sh start FOLDER    start it; prints what SLURM_CONF is to be
#   slurm.sh stop FOLDER     stop its daemons
set -euo pipefail

action=${1:-}
folder=$(realpath -m "${2:-.}")
port=${SLURM_TEST_PORT:-16817}

stop() {
    for name in slurmd-n0 slurmd-n1 slurmctld munged; do
        if [ -f "$folder/$name.pid" ]; then kill "$(cat "$folder/$name.pid")" 2>/dev/null || true; fi
    done
}

# A job that is put back into the queue waits for cred_expire, which is two minutes where nothing is said.
configure() {
    cat > "$folder/slurm.conf" <<CONF
ClusterName=trial
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=10
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
ReturnToService=2
NodeName=n0 NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1 RealMemory=4000
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1 RealMemory=4000
PartitionName=batch Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

idle() {
    [ "$(sinfo --noheader --format=%T 2>/dev/null | sort -u)" = idle ]
}

start() {
    mkdir -p "$folder/state"
    chmod 755 "$folder"
    (umask 077 && head -c 128 /dev/urandom > "$folder/key")
    configure
    export SLURM_CONF=$folder/slurm.conf
    # Root reaches the socket wherever the folder lies, which munged does not see.
    munged --force --key-file="$folder/key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
        --log-file="$folder/munged.log" --seed-file="$folder/seed"
    slurmctld -f "$SLURM_CONF"
    for node in n0 n1; do slurmd -f "$SLURM_CONF" -N "$node"; done
    for _ in $(seq 60); do
        if idle; then echo "$SLURM_CONF"; return; fi
        sleep 0.5
    done
    echo "the two nodes did not become idle in 30 s: see $folder/slurmctld.log" >&2
    stop
    exit 1
}

case $action in
    start | stop) "$action" ;;
    *) echo "usage: slurm.sh start|stop FOLDER" >&2; exit 2 ;;
esac
