# The host's own programs judge the generation before it stands.

# check NONCE NAME: asks the host's own programs about the generation, in a mount namespace in which it stands already:
# what is written there is gone with it.
check() {
	held "$1"
	case $(stat -c %m /usr/local/lib) in
	/ | /usr) ;;
	*) die "$(stat -c %m /usr/local/lib) is a file system of its own: a boot reads units before it is mounted, and would find none of odoogen's"$'\n'"hint: /usr/local/lib has to be on the file system of / or of /usr" ;;
	esac
	unshare --mount bash -c "$BASH_EXECUTION_STRING" odoogen checked "$2"
}

checked() {
	local verb a facts scratch=/run/odoogen-check units=() what=() clusters=()
	facts=$(facts)
	dirs "$scratch"
	mount -t tmpfs -o mode=0700 tmpfs "$scratch"
	mkdir -p "$scratch"/{etc,usr/local,var/lib/odoogen}/{upper,work}
	for a in /etc /usr/local /var/lib/odoogen; do
		mount -t overlay -o "lowerdir=$a,upperdir=$scratch$a/upper,workdir=$scratch$a/work" overlay "$a"
	done
	etc_of_check=1
	if [ "$1" = 0 ]; then facts+=$'\n'$(leaving); fi
	! ejected || rm -rf "$etc/current"
	doors <<<"$facts"
	turn_link current "$1"
	while IFS=$'\t' read -r verb a; do
		case $verb in
		unit) units+=("$a") ;;
		cluster) clusters+=("$a") ;;
		area) what+=("$a") ;;
		esac
	done <<<"$facts"
	# First, as others may name the users.
	[[ $1 = 0 || " ${what[*]} " != *' sysusers.d '* ]] || asked systemd-sysusers "$etc"/current/sysusers.d/*.conf
	for a in "${what[@]}"; do
		case $a in
		nginx)
			[ ! -x "$etc/current/bin/certificates" ] || asked "$etc/current/bin/certificates" bootstrap
			asked nginx -t -q
			;;
		ssh) asked sshd -t ;;
		sudoers.d) asked visudo -c -q ;;
		nftables) asked nft -c -f "$etc/current/nftables/odoogen.nft" ;;
		apt) asked apt-config dump ;;
		postgresql) ask_postgres "${clusters[@]}" ;;
		systemd) ask_systemd "${units[@]}" ;;
		esac
	done
}

# asked COMMAND...: what a checker says when it refuses is why the push ends here.
asked() {
	local said
	said=$("$@" 2>&1) || die "${1##*/} refuses the new generation:" "$said"
}

ask_postgres() { # VERSION/NAME...
	local said name
	for name; do
		said=$(runuser -u postgres -- "/usr/lib/postgresql/${name%/*}/bin/postgres" -C shared_buffers \
			-D "/etc/postgresql/$name" 2>&1 >/dev/null) ||
			die "PostgreSQL refuses the new generation of $name:" "$said"
	done
}

# systemd-analyze exits with 0 also where it ignores a setting, so what it says of our files is what counts.
ask_systemd() {
	local said
	[ $# -gt 0 ] || return 0
	said=$(systemd-analyze verify --man=no --recursive-errors=no "$@" 2>&1 | grep -E '^(/usr/local/lib/systemd|/etc/odoogen)/' || true)
	[ -z "$said" ] || die "systemd refuses the new generation:" "$said"
}
