package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
)

// RecipientsName is the file of a store with recipients beside the spec's administrators: one a line, an ssh public key
// or an age recipient, and who that is. Lines that begin with # are comments.
const RecipientsName = "recipients"

// Recipient is somebody whom values are encrypted to.
type Recipient struct {
	Who string // "anna", or what recipients says behind a key
	key age.Recipient
	tag tag
}

// tag is what the header of an encrypted file shows of a recipient: for an ssh key its kind and four bytes of its digest;
// for an age recipient its kind alone, for age hides whose it is.
type tag struct{ kind, digest string }

// errKind is of a key that age has no use for.
var errKind = errors.New("age encrypts to ssh-ed25519, ssh-rsa and age1... only")

// parseRecipient reads an ssh public key or an age recipient.
func parseRecipient(line, who string) (Recipient, error) {
	kind, rest, _ := strings.Cut(line, " ")
	var key age.Recipient
	var err error
	switch {
	case kind == "ssh-ed25519" || kind == "ssh-rsa":
		key, err = agessh.ParseRecipient(line)
		_, comment, _ := strings.Cut(rest, " ")
		rest = comment
	case strings.HasPrefix(kind, "age1pq1"):
		return Recipient{}, errors.New("age refuses a post-quantum recipient beside ssh keys")
	case strings.HasPrefix(kind, "age1"):
		key, err = age.ParseX25519Recipient(kind)
	default:
		return Recipient{}, errKind
	}
	if err != nil {
		return Recipient{}, err
	}
	if who == "" {
		who = strings.TrimSpace(rest)
	}
	if who == "" {
		who = kind
	}
	// What a header shows of a recipient is what the recipient writes into one.
	stanzas, err := key.Wrap(make([]byte, 16))
	if err != nil {
		return Recipient{}, err
	}
	return Recipient{who, key, tagOf(stanzas[0])}, nil
}

func tagOf(s *age.Stanza) tag {
	if strings.HasPrefix(s.Type, "ssh-") && len(s.Args) > 0 {
		return tag{s.Type, s.Args[0]}
	}
	return tag{kind: s.Type}
}

// AdminKeys are an administrator's public keys, as the spec lists them.
type AdminKeys struct {
	Name string
	Keys []string
}

// Recipients are whom the values of the store are to be encrypted to: the administrators, for who pushes must read them,
// and who stands in the file. Keys that age has no use for are left out; the administrators who have no other are
// returned as well.
func (s Store) Recipients(admins []AdminKeys) (to []Recipient, without []string, err error) {
	add := func(r Recipient) {
		if r.tag.digest == "" || !slices.ContainsFunc(to, func(o Recipient) bool { return o.tag == r.tag }) {
			to = append(to, r)
		}
	}
	for _, a := range admins {
		usable := false
		for _, key := range a.Keys {
			r, err := parseRecipient(key, a.Name)
			if err == nil {
				usable = true
				add(r)
			}
		}
		if !usable {
			without = append(without, a.Name)
		}
	}
	name := filepath.Join(s.Dir, RecipientsName)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return to, without, nil
	}
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for n, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || seen[line] {
			continue
		}
		seen[line] = true
		r, err := parseRecipient(line, "")
		if err != nil {
			return nil, nil, fmt.Errorf("%s:%d: %w", name, n+1, err) // without the line: it may be a private key by mistake
		}
		add(r)
	}
	return to, without, nil
}

// header is what an encrypted file shows, without a key, of whom it is for.
type header []tag

// sealedTo reads a secret's header.
func (s Store) sealedTo(name string) (header, error) {
	data, err := os.ReadFile(s.File(name))
	if err != nil {
		return nil, err
	}
	var h header
	_, err = age.Decrypt(armor.NewReader(bytes.NewReader(data)), reader(func(all []*age.Stanza) {
		for _, stanza := range all {
			if !strings.HasSuffix(stanza.Type, "-grease") { // which is for nobody
				h = append(h, tagOf(stanza))
			}
		}
	}))
	if len(h) == 0 {
		return nil, fmt.Errorf("%s: not a file that age encrypted: %w", s.File(name), err)
	}
	return h, nil
}

// reader is an identity that opens nothing: it is told the header.
type reader func([]*age.Stanza)

func (r reader) Unwrap(all []*age.Stanza) ([]byte, error) {
	r(all)
	return nil, age.ErrIncorrectIdentity
}

// differs tells whether a file is for others than it should be, as far as its header shows: who is missing, by name, and
// how many are too many. Of age recipients only the number can be compared.
func (h header) differs(to []Recipient) (missing []string, extra int) {
	left := slices.Clone(h)
	for _, r := range to {
		if i := slices.Index(left, r.tag); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			missing = append(missing, r.Who)
		}
	}
	return missing, len(left)
}

// certainly tells that a file is for exactly these: all have ssh keys, which headers show.
func (h header) certainly(to []Recipient) bool {
	missing, extra := h.differs(to)
	return len(missing) == 0 && extra == 0 && !slices.ContainsFunc(h, func(t tag) bool { return t.digest == "" })
}

// Who names recipients, each once.
func Who(to []Recipient) []string {
	var all []string
	for _, r := range to {
		if !slices.Contains(all, r.Who) {
			all = append(all, r.Who)
		}
	}
	return all
}
