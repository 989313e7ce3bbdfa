package engine

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// ServeHTTP answers what a ClickHouse server answers on its HTTP port: GET
// /ping, and statements on /.
func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ping":
		_, _ = io.WriteString(w, "Ok.\n")
	case "/":
		if err := e.answer(w, r); err != nil {
			refuse(w, err)
		}
	default:
		http.NotFound(w, r)
	}
}

func (e *engine) answer(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, e.config.maxBody())
	req, err := read(r)
	if err != nil {
		return err
	}
	if req.sql == helloSQL && req.revision == helloRevision {
		send(w, e.hello)
		return nil
	}
	from := e.writers
	if req.session.readonly() {
		from = e.readers
	}
	return from.with(r.Context(), req.session, func(h *handle) error { return req.run(h, w) })
}

// request is one statement as the driver sends it.
type request struct {
	sql      string
	format   string    // of the result, or of an insert's rows
	rows     io.Reader // of an insert; nil for any other statement
	params   map[string]string
	session  session
	revision string
}

// notSettings are the names in a query string that a ClickHouse server does
// not take for settings either. The engine needs none of them: an answer is
// always whole, and a handle is always a session.
var notSettings = map[string]bool{
	"client_protocol_version": true, "query_id": true, "quota_key": true, "session_id": true,
	"session_timeout": true, "wait_end_of_query": true, "buffer_size": true, "user": true, "password": true,
}

// read takes a request apart: "query" and the body are the statement,
// "param_x" are its parameters, the rest are settings.
func read(r *http.Request) (request, error) {
	req := request{format: "TabSeparated", params: map[string]string{}, session: session{settings: map[string]string{}}}
	for name, values := range r.URL.Query() {
		value := values[len(values)-1]
		param, isParam := strings.CutPrefix(name, "param_")
		switch {
		case isParam:
			req.params[param] = value
		case name == "query":
			req.sql = value
		case name == "default_format":
			req.format = value
		case name == "database":
			req.session.database = value
		case !notSettings[name]:
			req.session.settings[name] = value
		}
	}
	req.revision = r.URL.Query().Get("client_protocol_version")
	if sql, format, ok := splitInsert(req.sql); ok {
		req.sql, req.format, req.rows = sql, format, r.Body
	} else if err := req.readBody(r.Body); err != nil {
		return req, err
	}
	if fileClause.MatchString(req.sql) {
		return req, errFileClause
	}
	return req, nil
}

// The library carries out INTO OUTFILE and FROM INFILE itself, as a client
// would, also for a handle with readonly = 1. A server refuses both, and so
// does the engine, wherever the words stand: no statement of ours has them.
var (
	fileClause = regexp.MustCompile(`(?i)\b(outfile|infile)\b`)
	//lint:ignore ST1005 the driver parses the code out of ClickHouse's own form
	errFileClause = errors.New("Code: 344. DB::Exception: INTO OUTFILE and FROM INFILE are not available. (SUPPORT_IS_DISABLED)")
)

// readBody appends the body to the statement.
func (req *request) readBody(body io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(body, statementMax+1))
	if err != nil {
		return fmt.Errorf("reading the statement: %w", err)
	}
	if len(b) > statementMax {
		return &http.MaxBytesError{Limit: statementMax}
	}
	req.sql = strings.TrimSpace(req.sql + "\n" + string(b))
	return nil
}

var insertFormat = regexp.MustCompile(`(?is)^\s*(INSERT\s+INTO\s.*?)\s+FORMAT\s+(\w+)\s*;?\s*$`)

// splitInsert takes the FORMAT clause off an INSERT whose rows are the body:
// the library wants it apart, and would cut rows inside the statement at
// max_query_size.
func splitInsert(sql string) (insert, format string, ok bool) {
	m := insertFormat.FindStringSubmatch(sql)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

func (req request) run(h *handle, w http.ResponseWriter) error {
	if req.rows == nil {
		return h.query(req.sql, req.format, req.params, func(b []byte) error { send(w, b); return nil })
	}
	n, err := h.insert(req.sql, req.format, req.rows)
	if err != nil {
		return err
	}
	w.Header().Set("X-ClickHouse-Summary", fmt.Sprintf(`{"written_rows":"%d"}`, n))
	send(w, nil)
	return nil
}

// send writes a whole result. The driver takes a length of 0, and nothing
// else, for an empty one. A reader that has gone away is its own problem.
func send(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

var errorCode = regexp.MustCompile(`^Code: (\d+)\.`)

// refuse answers a failure as ClickHouse does: the engine's text, which starts
// with "Code: N.", and status 500; 413 for a body over the limit.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		status = http.StatusRequestEntityTooLarge
	}
	if m := errorCode.FindStringSubmatch(err.Error()); m != nil {
		w.Header().Set("X-ClickHouse-Exception-Code", m[1])
	}
	http.Error(w, err.Error(), status)
}
