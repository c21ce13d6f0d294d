package workspace_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"odoogen/internal/workspace"
)

// An editor that speaks to CUE's language server explains a field, leads to its definition and completes it.
func TestLanguageServer(t *testing.T) {
	dir := t.TempDir()
	if _, err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "envs.cue")
	spec, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := position(t, string(spec), `{class: "qa", version: "17.0", domain:`, "version")

	editor := startServer(t, dir)
	uri := "file://" + file
	editor.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": uri, "languageId": "cue", "version": 1, "text": string(spec)}})
	here := map[string]any{"textDocument": map[string]any{"uri": uri}, "position": at}

	if got := editor.call("textDocument/hover", here); !strings.Contains(got, "as in the branch name") {
		t.Errorf("hover over version: %s\nwant the comment of the schema", got)
	}
	if got := editor.call("textDocument/definition", here); !strings.Contains(got, "schema/odoo.cue") {
		t.Errorf("definition of version: %s\nwant schema/odoo.cue", got)
	}
	if got := editor.call("textDocument/completion", here); !strings.Contains(got, `"max_cron_threads"`) {
		t.Errorf("completion inside #Instance: %s\nwant max_cron_threads among them", got)
	}
}

// position is where word begins in the line that holds text, as editors count: from 0.
func position(t *testing.T, spec, text, word string) map[string]int {
	t.Helper()
	for n, line := range strings.Split(spec, "\n") {
		if i := strings.Index(line, text); i >= 0 {
			return map[string]int{"line": n, "character": i + strings.Index(text, word) + 1}
		}
	}
	t.Fatalf("envs.cue has no %s", text)
	return nil
}

// server is a running language server.
type server struct {
	t    *testing.T
	in   io.Writer
	out  *bufio.Reader
	last int
}

type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      any             `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

func startServer(t *testing.T, dir string) *server {
	t.Helper()
	cmd := cueCommand(t, dir, "lsp")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	s := &server{t: t, in: in, out: bufio.NewReader(out)}
	s.call("initialize", map[string]any{
		"processId": nil, "rootUri": "file://" + dir, "capabilities": map[string]any{},
		"workspaceFolders": []any{map[string]any{"uri": "file://" + dir, "name": "envs"}},
	})
	s.notify("initialized", map[string]any{})
	return s
}

func (s *server) notify(method string, params any) { s.send(message{Method: method, Params: params}) }

// call sends a request and waits for its answer. What the server asks in between is answered with nothing.
func (s *server) call(method string, params any) string {
	s.t.Helper()
	s.last++
	s.send(message{ID: s.last, Method: method, Params: params})
	for {
		m := s.receive()
		switch {
		case m.Method != "" && m.ID != nil:
			s.send(message{ID: m.ID, Result: json.RawMessage("null")})
		case m.Method == "" && fmt.Sprint(m.ID) == strconv.Itoa(s.last):
			if m.Error != nil {
				s.t.Fatalf("%s: %s", method, m.Error)
			}
			return string(m.Result)
		}
	}
}

func (s *server) send(m message) {
	s.t.Helper()
	m.JSONRPC = "2.0"
	data, err := json.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(data), data); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) receive() (m message) {
	s.t.Helper()
	header, err := textproto.NewReader(s.out).ReadMIMEHeader()
	if err != nil {
		s.t.Fatalf("the language server ended: %v", err)
	}
	n, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		s.t.Fatal(err)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(s.out, data); err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		s.t.Fatal(err)
	}
	return m
}
