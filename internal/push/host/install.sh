# What of odoogen stands on the host for the time without a push: this script, and two units.

# install_self puts this very script where timer and boot find it.
install_self() {
	dirs "$lib"
	at_boot odoogen-boot.service "$boot_unit" # before the script, which tells what they were
	at_boot odoogen-boot-state.service "$boot_state_unit"
	if [ ! -x "$lib/host" ] || ! holds "$lib/host" "$BASH_EXECUTION_STRING"$'\n'; then
		printf '%s\n' "$BASH_EXECUTION_STRING" >"$lib/host.new"
		chmod 755 "$lib/host.new"
		mv -f "$lib/host.new" "$lib/host"
	fi
	[ /usr/local/sbin/odoogen-host -ef "$lib/host" ] || ln -sfn ../lib/odoogen/host /usr/local/sbin/odoogen-host
}

# at_boot UNIT TEXT: what somebody made of it is kept in set-aside.
at_boot() {
	local file=/etc/systemd/system/$1 link=/etc/systemd/system/sysinit.target.wants/$1
	! holds "$file" "$2"$'\n' || [ ! -L "$link" ] || return 0
	dirs "${link%/*}"
	[ ! -s "$file" ] || installed "$file" || store "$file" "$(free "$etc/set-aside$file")"
	printf '%s\n' "$2" >"$file.odoogen-new"
	mv -fT "$file.odoogen-new" "$file"
	ln -sfn "../$1" "$link"
}

# installed UNIT: it is as the script on this host has it, which may be of another odoogen than this one, or as this one has it.
installed() {
	local text
	text=$(<"$1")
	[[ -n $text && "$(cat "$lib/host" 2>/dev/null || true)'$boot_unit'$boot_state_unit'" == *"'$text'"* ]]
}

# A timer is lost in a power cut, as it lives in /run; these are not. The first comes before all that reads a
# generation, the second before all that reads a secret: /var may be a disk of its own, and is mounted later.
boot_unit='# Goes back to the generation that was confirmed last, where a push was cut off by a loss of power, and clears up
# what that had not finished.
[Unit]
Description=Confirmed generation of odoogen
DefaultDependencies=no
After=systemd-remount-fs.service
Before=sysinit.target systemd-sysctl.service systemd-sysusers.service systemd-tmpfiles-setup.service network-pre.target
ConditionPathIsReadWrite=/etc
ConditionPathExists=|/etc/odoogen/.back
ConditionPathExistsGlob=|/etc/odoogen/generations/.[0-9]*
ConditionPathExists=|/etc/postgresql-common/createcluster.d/odoogen-packages.conf
ConditionPathExists=|/etc/odoogen/found/before

[Service]
Type=oneshot
ExecStart=/usr/local/lib/odoogen/host boot'
boot_state_unit='# Brings back the secrets of the generation that was confirmed last, where a push was cut off by a loss of power.
[Unit]
Description=Secrets of the confirmed generation of odoogen
DefaultDependencies=no
RequiresMountsFor=/var/lib/odoogen
After=odoogen-boot.service
Before=sysinit.target
ConditionPathIsReadWrite=/var/lib/odoogen
ConditionPathExists=|/var/lib/odoogen/armed
ConditionPathExistsGlob=|/var/lib/odoogen/*.new

[Service]
Type=oneshot
ExecStart=/usr/local/lib/odoogen/host boot_state'
