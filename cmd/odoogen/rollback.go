package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"odoogen/internal/push"
)

func newRollback() *cobra.Command {
	o := pushOptions{reviewed: true}
	var yes, overwrite bool
	cmd := &cobra.Command{
		Use:   "rollback HOST [GENERATION]",
		Short: "Make a host what it was before",
		Long: `Make a host the generation that it had before, or the one of that number, with all that a push does: checks, probes,
a confirmation, and the way back where one fails. It becomes a generation of its own. Packages, clusters, users, releases
and data stay as they are: on the host, /etc/odoogen/current/bin/release rollback INSTANCE is for code, and bin/restore
INSTANCE beside it for data.

Generation 0 is the host as it was found: odoogen's files are out of everybody's way, what lay in theirs is back in its
place, and what a push started is stopped. Whoever logs in does so with keys and over addresses that the host had before;
the next push begins anew, with what is installed already.

Exit codes, as of a push: 0 done or already so, 1 failed and nothing has changed, 3 the host is again what it was, 4 unknown
(it does not answer; it goes back by itself).`,
		Example:           "  odoogen rollback tests\n  odoogen rollback tests 41 --yes\n  odoogen rollback tests 0",
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, found := 0, false
			if len(args) == 2 {
				var err error
				number, err = strconv.Atoi(strings.TrimPrefix(args[1], "#"))
				if found = number == 0; err != nil || number < 0 {
					return fmt.Errorf("%q is no generation's number\nhint: odoogen history %s", args[1], args[0])
				}
			}
			p, _, err := o.start(cmd, args[:1])
			if err != nil {
				return err
			}
			defer p.Close()
			p.OverwriteDrift, p.ProbeFor = overwrite, time.Minute
			if found {
				err = p.ReturnToFound()
			} else {
				err = p.Return(cmd.Context(), number)
			}
			if err != nil {
				return err
			}
			return o.carryOut(cmd, p, func([]*push.Plan) error {
				if !yes && !asked(cmd, "roll back") {
					return errors.New("not rolled back")
				}
				return nil
			})
		},
	}
	o.flags(cmd)
	o.waits(cmd)
	o.identity.flag(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&overwrite, "overwrite-drift", false, "take back what was changed by hand on the host")
	return cmd
}
