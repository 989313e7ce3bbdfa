package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// changeCmd changes a flag step by step.
type changeCmd struct {
	Make     changeMakeCmd     `cmd:"" help:"Make the changes of a file now, as one event."`
	Schedule changeScheduleCmd `cmd:"" help:"Have the changes of a file made at a time."`
	Propose  changeProposeCmd  `cmd:"" help:"Ask others to agree to the changes of a file."`
	List     changeListCmd     `cmd:"" help:"List what waits to change a flag, and what became of the newest of it."`
	Cancel   changeCancelCmd   `cmd:"" help:"Take back what waits for its time."`
	Approve  changeApproveCmd  `cmd:"" help:"Agree to what somebody else proposed."`
	Reject   changeRejectCmd   `cmd:"" help:"Say no to what was proposed."`
	Withdraw changeWithdrawCmd `cmd:"" help:"Take back what you proposed."`
	Apply    changeApplyCmd    `cmd:"" help:"Make the change that enough others have agreed to."`
}

// changeFile names what to change, and why.
type changeFile struct {
	client
	File    string `arg:"" help:"YAML file of kind Changes (flag: key, changes: a list of operations), or - for standard input."`
	Comment string `short:"m" help:"Why; it stays on record."`
}

// changes is the document of such a file. The server checks the operations.
type changes struct {
	Flag    string           `yaml:"flag"`
	Changes []map[string]any `yaml:"changes"`
}

// send sends the changes of the file to a path below their flag, with more
// fields in the body. It returns the flag's key.
func (c changeFile) send(ctx context.Context, method, below string, more map[string]any, into any) (string, error) {
	source, err := slurp(c.File)
	if err != nil {
		return "", err
	}
	docs, err := manifest.Split(source)
	if err != nil {
		return "", fmt.Errorf("%s:\n%w", c.File, err)
	}
	if len(docs) != 1 || docs[0].Kind != "Changes" {
		return "", fmt.Errorf("%s: one document of kind Changes is needed; write apiVersion, kind: Changes, flag and changes", c.File)
	}
	var doc changes
	if err := docs[0].Decode(&doc); err != nil {
		return "", fmt.Errorf("%s:\n%w", c.File, err)
	}
	body := map[string]any{"changes": doc.Changes, "comment": c.Comment}
	for name, value := range more {
		body[name] = value
	}
	b, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encoding the request: %w", err)
	}
	var headers []string
	if docs[0].Expect != event.Any {
		headers = []string{"If-Match", strconv.Quote(strconv.FormatUint(uint64(docs[0].Expect), 10))}
	}
	return doc.Flag, c.do(ctx, method, flagPath(doc.Flag)+below, "application/json", b, into, headers...)
}

func flagPath(key string) string { return "/api/v1/flags/" + url.PathEscape(key) }

type changeMakeCmd struct{ changeFile }

// Run makes the changes and prints the flag's revision.
func (c changeMakeCmd) Run(ctx context.Context) error {
	var f struct {
		Revision uint64 `json:"revision"`
	}
	key, err := c.send(ctx, http.MethodPatch, "", nil, &f)
	if err != nil {
		return err
	}
	fmt.Printf("flag %s is at revision %d\n", key, f.Revision)
	return nil
}

type changeScheduleCmd struct {
	changeFile
	At time.Time `required:"" help:"When, such as 2027-01-31T09:00:00Z."`
}

// Run schedules the changes.
func (c changeScheduleCmd) Run(ctx context.Context) error {
	key, err := c.send(ctx, http.MethodPost, "/schedules", map[string]any{"at": c.At}, nil)
	if err != nil {
		return err
	}
	fmt.Printf("flag %s changes at %s; take it back with: sluice change cancel %s\n", key, c.At.UTC().Format(time.RFC3339), key)
	return nil
}

type changeProposeCmd struct{ changeFile }

// Run proposes the changes and prints what they would make different.
func (c changeProposeCmd) Run(ctx context.Context) error {
	var q request
	key, err := c.send(ctx, http.MethodPost, "/requests", nil, &q)
	if err != nil {
		return err
	}
	fmt.Printf("flag %s: %s asks for %s; others agree with: sluice change approve %s\n", key, q.ID, q.Asks(), key)
	for _, d := range q.Differences {
		fmt.Println("  " + d.Text)
	}
	return nil
}

// request is a change request as the server tells it.
type request struct {
	flags.Request
	Differences []flags.Difference `json:"differences"`
}

// approved says who has agreed.
func approved(q flags.Request) string {
	who := make([]string, len(q.Approvals))
	for i, a := range q.Approvals {
		who[i] = a.Actor
	}
	if len(who) == 0 {
		return "approved by nobody"
	}
	return "approved by " + strings.Join(who, ", ")
}

// changeListCmd lists what waits.
type changeListCmd struct {
	client
	output
	Key string `arg:"" help:"Key of the flag."`
}

// waiting is what waits to change a flag, and the newest of what did.
type waiting struct {
	Schedules []flags.Schedule `json:"schedules"`
	Requests  []request        `json:"requests"`
}

func (c client) waiting(ctx context.Context, key string) (w waiting, err error) {
	if err := c.get(ctx, flagPath(key)+"/schedules", &w); err != nil {
		return w, err
	}
	return w, c.get(ctx, flagPath(key)+"/requests", &w)
}

// Run prints the list.
func (c changeListCmd) Run(ctx context.Context) error {
	w, err := c.waiting(ctx, c.Key)
	if err != nil {
		return err
	}
	return c.write(w, func(out io.Writer) {
		for _, p := range w.Schedules {
			fmt.Fprintf(out, "%s\t%s\tat %s\tby %s\t%s\n", p.ID, p.Standing, p.At.Format(time.RFC3339), p.Actor, strings.TrimSpace(p.Comment+" "+p.Why))
		}
		for _, q := range w.Requests {
			fmt.Fprintf(out, "%s\t%s\t%s\tby %s\t%s\n", q.ID, q.Standing, approved(q.Request), q.Author, strings.TrimSpace(q.Comment+" "+q.Why))
			for _, d := range q.Differences {
				fmt.Fprintf(out, "\t%s\n", d.Text)
			}
		}
	})
}
