# Which generation the host is, and how far it is from it.

# target LINK: the name of the generation that current or confirmed leads to; nothing where there is none. Called in a
# subshell; only a link that leads nowhere costs a program.
target() {
	local to
	[ -L "$etc/$1" ] || return 0 # an ejected host's current is a directory
	if cd -P "$etc/$1" 2>/dev/null; then
		printf '%s' "${PWD##*/}"
	else
		to=$(readlink "$etc/$1") || return 0
		printf '%s' "${to#generations/}"
	fi
}

# stands: the generation that the host is; 0 where it is as it was found.
stands() {
	local name
	name=$(target current)
	printf '%s' "${name:-0}"
}

# ejected: the configuration is a directory of its own, and no generation.
ejected() { is_dir "$etc/current"; }

# turn_link LINK GENERATION: makes a link lead to a generation, by one rename(2). As it was found, a host has no current.
turn_link() {
	if [ "$1 $2" = 'current 0' ]; then
		rm -f "$etc/current"
		unmake "$etc/current" # of a host that was found ejected
		sync -f "$etc"
		return
	fi
	ln -sfn "generations/$2" "$etc/.$1.new"
	mv -fT "$etc/.$1.new" "$etc/$1"
	[ -n "${etc_of_check:-}" ] || sync -f "$etc"
}

# look DIR [PATH...]: looks at all files below DIR and at the paths, with three programs however many they are: to do
# nothing must cost nothing. Prints the digest of DIR's MANIFEST; as drift each file that is not what that says (other
# bytes, mode or owner, missing, or, as that says, strange) and each directory of another mode or owner; and of each
# path its kind, mode, where it leads, size and time. Of an ejected host's current directory links are followed: it has
# some. A generation has the name of its MANIFEST's digest; where that was changed or removed, nothing else can be told of.
look() {
	local manifest=/dev/null links=-P name=${1##*/}
	if [ "$1" = "$etc/current" ]; then
		name=$(target current)
		! ejected || links=-L
	fi
	cd "$1" || exit # never look at what else lies here
	[ ! -f MANIFEST ] || manifest=MANIFEST
	# find flushes what it has printed before sha256sum prints.
	{ find "$links" . "${@:2}" \( ! -type d -o \( -path . -o -path './*' \) \( ! -user 0 -o ! -group 0 -o ! -perm 755 \) \) \
		-printf '%y %m %U:%G\t%l\t%s\t%T@\t%p\n' -path './*' -type f -exec sha256sum {} + 2>/dev/null || true; } | awk -v "name=${name##*-}" '
		FILENAME != "-" && NF < 4 { next }
		FILENAME != "-" { sub(/^0+/, "", $1); want["./" $4] = "f " $1 "\t" $2; next }
		index($0, "\t") == 0 { # a name with a backslash is written with two, and another in front
			if (sub(/^\\/, "")) gsub(/\\\\/, "\\")
			sum[substr($0, 67)] = substr($0, 1, 64)
			next
		}
		{
			split($0, of, "\t")
			sub(/ 0:0$/, "", of[1]) # root and its group are what all shall be
			if (of[5] ~ /^\.(\/|$)/) is[of[5]] = of[1] "\t"
			else printf "found\t%s\t%s\t%s\t%s\t%s\t%s\n", of[5], substr(of[1], 1, 1), substr(of[1], 3), of[2], of[3], of[4]
		}
		END {
			digest = sum["./MANIFEST"]
			if (digest) print "digest\t" digest
			if (!digest || length(name) == 12 && name != substr(digest, 1, 12)) print "drift\tMANIFEST"
			if (!digest) exit
			delete is["./MANIFEST"]
			for (path in want) if (is[path] sum[path] != want[path]) print "drift\t" substr(path, 3)
			for (path in is) if (!(path in want)) print "drift\t" (path == "." ? path : substr(path, 3)) "\tstrange"
		}' "$manifest" -
	cd /
}

# differs DIR: the files that are not what the directory's MANIFEST says.
differs() { look "$1" | sed -n 's/\tstrange$//; s/^drift\t//p'; }

# remove_stray removes generations that were staged and never stood. One that stood may be newer than the one that stands: the
# host was taken back.
remove_stray() {
	local name newest
	newest=$(target current)
	newest=${newest%%-*}
	away "$etc"/generations/.[0-9]*
	for name in "$etc"/generations/*-*; do
		name=${name##*/}
		[ "${name%%-*}" -le "${newest:-0}" ] || stood "$name" || remove "$etc/generations/$name"
	done
}

number() {
	local name=${1##*/}
	name=${name%%-*}
	printf '%s' "${name:-0}"
}

remove() {
	chattr -R -i "$1" 2>/dev/null || true
	rm -rf "$1"
}
