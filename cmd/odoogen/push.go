package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
	"odoogen/internal/push"
	"odoogen/internal/review"
)

// pushOptions are what plan, push and status share: where the trees come from, whose key opens secrets, and what is shown.
type pushOptions struct {
	built    string
	reviewed bool // golden/ does as well as the spec
	identity identity
	wait     time.Duration
	again    bool // every file of the hosts is looked at, though it has not changed since
	progress *progress
}

func (o *pushOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.built, "built", "", "do without the spec: take the trees that a build has left in this directory, golden say")
	cobra.CheckErr(cmd.MarkFlagDirname("built"))
}

// waits is of commands that take hosts for themselves.
func (o *pushOptions) waits(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&o.wait, "wait", 0, "wait this long for another push that holds a host")
}

// trees compiles the spec, or reads what was built. Inside a lab the hosts take trees with its overlay; reviewed are
// those that are compared with golden/.
func (o *pushOptions) trees(cmd *cobra.Command) (trees, reviewed []*artifact.Tree, err error) {
	if o.built == "" {
		dir := os.Getenv(lab.Variable)
		b, err := compile(cmd.ErrOrStderr())
		if err != nil {
			if golden, _ := treesIn("golden"); o.reviewed && dir == "" && len(golden) > 0 {
				err = fmt.Errorf("%w\nhint: --built golden takes what was reviewed, whatever the spec says now", err)
			}
			return nil, nil, err
		}
		if dir == "" {
			return b.Trees, b.Trees, nil
		}
		trees, err = labTrees(dir)
		return trees, b.Trees, err
	}
	trees, err = builtIn(o.built)
	return trees, trees, err
}

// treesIn are the directories of the trees that a build has left in a directory.
func treesIn(dir string) ([]string, error) {
	manifests, err := filepath.Glob(filepath.Join(dir, "*", artifact.ManifestName))
	for i, m := range manifests {
		manifests[i] = filepath.Dir(m)
	}
	return manifests, err
}

// builtIn reads those trees.
func builtIn(dir string) ([]*artifact.Tree, error) {
	dirs, err := treesIn(dir)
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("%s holds no trees", dir)
	}
	var all []*artifact.Tree
	for _, d := range dirs {
		t, err := artifact.ReadTree(d)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// start begins a push of the trees to the hosts named. It returns those that are to be reviewed. What is pushed is mostly
// what golden/ says, so the hosts are asked about that while the spec is still compiled.
func (o *pushOptions) start(cmd *cobra.Command, names []string) (*push.Push, []*artifact.Tree, error) {
	o.progress = newProgress(cmd.ErrOrStderr())
	p := &push.Push{Owner: operator(), Say: o.progress.say, Wait: o.wait, LookAgain: o.again, KeepIn: push.KeepDir(os.Getenv(lab.Sockets))}
	if o.built == "" && os.Getenv(lab.Variable) == "" {
		p.Ahead(cmd.Context(), "golden", names)
	}
	trees, reviewed, err := o.trees(cmd)
	if err == nil {
		// After the trees: inside a lab those bring values for their secrets.
		store, keys := secretStore(), o.identity.keys(cmd)
		p.Secrets.Open = func(name string) ([]byte, error) { return store.Open(name, keys) }
		p.Secrets.Digests, err = store.Digests()
	}
	if err == nil {
		err = p.Start(trees, names)
	}
	if err != nil {
		p.Close()
		return nil, nil, err
	}
	return p, reviewed, nil
}

// operator is who pushes: "anna@laptop".
func operator() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	machine, _ := os.Hostname()
	return name + "@" + machine
}

func newPush() *cobra.Command {
	var o pushOptions
	var yes, unreviewed, overwrite bool
	var revertAfter, probeFor time.Duration
	cmd := &cobra.Command{
		Use:   "push [HOST...]",
		Short: "Make the hosts be what the spec says, or leave them as they were",
		Long: `Make every host, or those named, be exactly its reviewed tree. Each is checked by its own programs, turned by one
rename, probed from itself and from another, and confirmed over a new connection; whatever fails before that turns all of
them back. It asks first.

Exit codes: 0 applied or already so, 1 failed and nothing has changed, 3 rolled back, 4 unknown (a host does not answer;
it goes back by itself), 5 partial (the next push mends it).`,
		Example:           "  odoogen push\n  odoogen push tests --yes\n  odoogen lab exec odoogen push",
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case probeFor < 0:
				return fmt.Errorf("--probe-for %v is no time\nhint: 0s or more", probeFor)
			case revertAfter != 0 && revertAfter < 5*time.Second: // a host takes as long to turn and to be asked, with nothing to do
				return fmt.Errorf("--revert-after %v is over before a host can be confirmed\nhint: 5s or more; 0 is as long as its actions and probes may take", revertAfter)
			}
			p, trees, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			p.OverwriteDrift, p.RevertAfter, p.ProbeFor = overwrite, revertAfter, probeFor
			if p.Review, err = reviewed(cmd.Context(), trees); !unreviewed && err != nil {
				return err
			}
			return o.carryOut(cmd, p, func(plans []*push.Plan) error {
				if err := committed(cmd.Context(), plans); !unreviewed && err != nil {
					return err
				}
				for _, plan := range plans {
					if commit := plan.TakenBack(cmd.Context(), "."); commit != "" {
						fmt.Fprintf(cmd.ErrOrStderr(), "note: %s runs %s, which this clone does not have in HEAD: this push takes it back (git pull?)\n", plan.Host, commit)
					}
				}
				if !yes && !asked(cmd, "push") {
					return errors.New("not pushed")
				}
				return nil
			})
		},
	}
	o.flags(cmd)
	o.waits(cmd)
	o.identity.flag(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&unreviewed, "unreviewed", false, "push also what golden/ at HEAD does not hold")
	cmd.Flags().BoolVar(&overwrite, "overwrite-drift", false, "take back what was changed by hand on the hosts")
	cmd.Flags().DurationVar(&probeFor, "probe-for", time.Minute, "how long what was started may take until it answers")
	cmd.Flags().DurationVar(&revertAfter, "revert-after", 0, "let a host go back by itself when it is not confirmed in this time (default: as long as its actions and probes may take)")
	return cmd
}

// carryOut shows the plans and does what they say, where nothing is against it. What has changed a host meanwhile has it
// begin anew.
func (o *pushOptions) carryOut(cmd *cobra.Command, p *push.Push, against func([]*push.Plan) error) error {
	defer func() { o.progress.close() }()
	for {
		plans, err := p.Plan(cmd.Context())
		if err != nil {
			return err
		}
		review.PlansText(cmd.OutOrStdout(), plans)
		if empty(plans) {
			return nil
		}
		if err := against(plans); err != nil {
			return err
		}
		if err = p.Execute(cmd.Context()); !errors.Is(err, push.ErrChanged) {
			return err
		}
		o.progress.close() // what comes now stands below its lines
		o.progress = newProgress(cmd.ErrOrStderr())
		p.Say = o.progress.say
		fmt.Fprintf(cmd.OutOrStdout(), "%v\nso it is planned again\n\n", err)
	}
}

// reviewed tells what commit the trees are of. It is an error where golden/ at HEAD is otherwise.
func reviewed(ctx context.Context, trees []*artifact.Tree) (*push.Review, error) {
	r, err := push.Reviewed(ctx, ".", trees)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w\nhint: what is pushed is what was reviewed, golden/ at HEAD; --unreviewed pushes anyway", err)
	case len(r.Differ) > 0:
		first := r.Differ[:min(len(r.Differ), 5)]
		return nil, fmt.Errorf("not reviewed: %d files differ from golden/ at HEAD: %s\nhint: odoogen build -o golden and commit, or --unreviewed",
			len(r.Differ), strings.Join(first, ", "))
	}
	return r, nil
}

// committed is an error where the plans bring secrets that HEAD does not have: who pushes next would take them back.
// A lab's own are nobody's.
func committed(ctx context.Context, plans []*push.Plan) error {
	brings := slices.ContainsFunc(plans, func(p *push.Plan) bool { return len(p.Secrets) > 0 })
	if !brings || around() != nil {
		return nil
	}
	files, err := push.Uncommitted(ctx, ".", secretStore().Dir)
	if err == nil && len(files) > 0 {
		err = fmt.Errorf("not committed: %s", strings.Join(files, ", "))
	}
	if err != nil {
		err = fmt.Errorf("%w\nhint: commit the secrets, so that nobody's push brings the old ones; or --unreviewed", err)
	}
	return err
}

// asked asks whether to do something, in a word. Who gives up has not said yes.
func asked(cmd *cobra.Command, what string) bool {
	fmt.Fprintf(cmd.ErrOrStderr(), "%s? [y/N] ", what)
	answer, _ := typed(cmd.Context(), func() (string, error) { return bufio.NewReader(cmd.InOrStdin()).ReadString('\n') })
	if cmd.Context().Err() != nil {
		fmt.Fprintln(cmd.ErrOrStderr())
	}
	return strings.EqualFold(strings.TrimSpace(answer), "y")
}

// typed is what somebody types, unless he gives up first: Ctrl-C ends a context and no read.
func typed[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type answer struct {
		text T
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := read()
		answers <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return *new(T), ctx.Err()
	case a := <-answers:
		return a.text, a.err
	}
}
