package refs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
)

// Origin says of a tree what its .git folder says: the repository that it was
// fetched from, such as github.com/acme/shop, and the commit that is checked
// out. It reads the files of git and starts no program, so it knows plain
// clones alone; of others it says so.
func Origin(tree fs.FS) (repository, revision string, err error) {
	config, err := fs.ReadFile(tree, ".git/config")
	if err != nil {
		return "", "", fmt.Errorf("looking for a clone: %w", err)
	}
	if repository = remote(config); repository == "" {
		return "", "", errors.New("the clone has no remote of the name origin")
	}
	revision, err = head(tree)
	return repository, revision, err
}

// remote returns the name of the repository that the remote origin is.
func remote(config []byte) string {
	section := ""
	for lines := bufio.NewScanner(bytes.NewReader(config)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if ok && section == `[remote "origin"]` && strings.TrimSpace(name) == "url" {
			return named(strings.TrimSpace(value))
		}
	}
	return ""
}

// named turns the address of a repository into its name: host and path. What
// signs in is left out.
func named(address string) string {
	if !strings.Contains(address, "://") { // git@github.com:acme/shop.git, or a path
		if host, path, ok := strings.Cut(address, ":"); ok {
			address = "ssh://" + host + "/" + path
		}
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.Trim(u.Hostname()+"/"+strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git"), "/")
}

// head returns the commit that is checked out.
func head(tree fs.FS) (string, error) {
	text, err := fs.ReadFile(tree, ".git/HEAD")
	if err != nil {
		return "", fmt.Errorf("looking for the commit: %w", err)
	}
	branch, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "ref: ")
	if !ok {
		return strings.TrimSpace(string(text)), nil
	}
	if text, err = fs.ReadFile(tree, ".git/"+branch); err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	packed, err := fs.ReadFile(tree, ".git/packed-refs")
	if err != nil {
		return "", fmt.Errorf("looking for the commit of %s: %w", branch, err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(packed)); lines.Scan(); {
		if commit, ok := strings.CutSuffix(lines.Text(), " "+branch); ok {
			return commit, nil
		}
	}
	return "", fmt.Errorf("the clone has no commit of %s", branch)
}
