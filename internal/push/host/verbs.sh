# The verbs, for a push and for hands.

usage='usage: odoogen-host COMMAND, as root. It needs no network and no odoogen elsewhere.

  status            what this host is, what was changed by hand, and what does not run
  rollback          make it the generation before: at once, without the probes of a push
  rollback NUMBER   or the one of that number; 0 is what the host was found as
  confirm           keep a push that waits for its confirmation; does first what it has not done
  revert            or take it back now
  freeze REASON     accept no push until
  unlock            accept them again; ends the hold of a push that died, too
  eject             make everything plain files, and odoogen no longer part of this host; restarts nothing
  ledger            what was pushed

Generations are below /etc/odoogen/generations. Packages, databases, data and secrets never go back.
'

# asks WHAT: of who types at a terminal, before it is done.
asks() {
	local answer
	[ -t 0 ] || return 0
	read -r -p "$1 Go on? [y/N] " answer || true
	[[ $answer == [yY]* ]] || die "nothing is done"
}

verb() {
	local nonce word
	for word in "${@:2}"; do
		if [[ $word = -h || $word = --help ]]; then set -- help; fi
	done
	case ${1-} in
	export) export_generation "$2" ;;
	ledger) cat "$state/ledger" 2>/dev/null || true ;;
	status | unlock) "$1" ;;
	rollback)
		[ "${2:-}" != 0 ] || asks "All that odoogen runs here stops, and this host is what it was found as."
		rollback "${2:-}"
		;;
	freeze) freeze "${@:2}" ;;
	confirm | revert | eject)
		if [ $# -gt 1 ]; then
			"$@"
		elif [ "$1" = eject ]; then
			asks "All runs on, and odoogen is no longer part of this host."
			alone
			unpushed
			eject_now "on the host"
		else
			nonce=$(armed_nonce)
			[ "$1" != confirm ] || pay_rest "$nonce"
			"$1" "$nonce" 10 <<<"by hand on the host"
		fi
		;;
	observe | zero | contents | lease | abandon | stage | packages | clusters | check | checked | give | turn | leave | leave_now | left | \
		probe | purge | boot | boot_state | standing)
		"$@"
		;;
	help | --help | -h) printf '%s' "$usage" ;;
	*)
		printf '%s' "$usage" >&2
		exit 64
		;;
	esac
}

# "keep-open VERB" does a verb, says so, and keeps the connection until the push ends: the others go over it. Each line
# that comes is a heartbeat.
if [ "${1-}" = keep-open ]; then
	shift
	verb "$@"
	printf 'ready\n'
	while read -r nonce; do beat "$nonce"; done
else
	verb "$@"
fi
