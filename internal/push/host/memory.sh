# What an observation has seen, remembered until something changes, as git's index does it: where find tells the same of
# every file that counts, all is as it was. It tells which file it is, whose, its mode and size, where it leads, and when it
# changed last, which nobody sets back. A host forgets when it boots: after a loss of power a file may hold less than
# find tells.
memory=/run/odoogen/observed

# remembered: the same is asked, of the same files. Then answer is that of before, and watched are the units that shall run
# and may not.
remembered() {
	local was
	[ -f "$memory" ] || return 1
	{
		IFS= read -r -d '' was && [ "$was" = "$asked" ] && IFS=$'\n' read -r -d '' -a paths &&
			IFS= read -r -d '' was && [ "$was" = "$(counted "${paths[@]}")" ] && IFS=$'\n' read -r -d '' -a watched &&
			IFS= read -r -d '' answer
	} <"$memory"
}

# remember keeps counts, which find told before the host was looked at, and the answer.
remember() {
	local unit
	# What changed just now could change again within the same tick of the clock, and would look the same.
	[[ -n $counts && $'\n'$counts != *$'\nyoung\n'* ]] || return 0
	for unit in "${runs[@]}"; do
		[[ $'\n'${idle[*]/%/$'\n'} == *$'\n'"calm"$'\t'"$unit"$'\n'* ]] || watched+=("$unit")
	done
	{
		mkdir -p "${memory%/*}" && {
			printf '%s\0' "$asked" && printf '%s\n' "${paths[@]}" && printf '\0%s\0' "$counts" &&
				printf '%s\n' "${watched[@]}" && printf '\0%s\0' "$answer"
		} >"$memory.$$" && chmod 600 "$memory.$$" && mv -f "$memory.$$" "$memory"
	} 2>/dev/null || away "$memory.$$" # where /run is full, it looks again
}

# counted PATH...: what find tells of these, and of all that any observation reads; and the firewall's rules, which lie in no
# file.
counted() {
	[ -f "$etc/current/MANIFEST" ] && ! ejected || return 0
	find "$etc" "$etc/current/" "$secrets" "$state"/{frozen,ledger,owed,made} {/etc,/run}/systemd/system{,.control} \
		"$lib" /usr/local/sbin/odoogen-host \
		{/etc,/run}/{sysctl.d,tmpfiles.d,sysusers.d,systemd/{network,journald.conf.d,timesyncd.conf.d}} \
		/etc/ssh /etc/postgresql /var/lib/dpkg/{status,updates} "$@" \
		\( -path "$etc/generations/*" -prune -o -true \) \
		-printf '%p\t%y%m\t%U:%G\t%l\t%D:%i\t%s\t%C@\n' -newerct '2 seconds ago' -printf 'young\n' 2>/dev/null || true
	rules
}
