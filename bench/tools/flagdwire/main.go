// Flagdwire writes the Go code of flagd's services into internal/flagd/gen. It
// takes their descriptors from the module in which the flagd project publishes
// them (buf.build/open-feature/flagd, Apache-2.0), so that go.sum pins what the
// code is made from, and runs the two generators that go.mod pins.
//
//	flagdwire BIN DIR    # BIN holds protoc-gen-go and protoc-gen-connect-go
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	evaluationv1 "buf.build/gen/go/open-feature/flagd/protocolbuffers/go/flagd/evaluation/v1"
	evaluationv2 "buf.build/gen/go/open-feature/flagd/protocolbuffers/go/flagd/evaluation/v2"
	syncv1 "buf.build/gen/go/open-feature/flagd/protocolbuffers/go/flagd/sync/v1"
	schemav1 "buf.build/gen/go/open-feature/flagd/protocolbuffers/go/schema/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// room is the import path under which the code lands.
const room = "github.com/sluice-hq/sluice/internal/flagd/gen/"

// services are the files to make code from.
var services = []protoreflect.FileDescriptor{
	evaluationv1.File_flagd_evaluation_v1_evaluation_proto,
	evaluationv2.File_flagd_evaluation_v2_evaluation_proto,
	schemav1.File_schema_v1_schema_proto,
	syncv1.File_flagd_sync_v1_sync_proto,
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: flagdwire BIN DIR")
		os.Exit(1)
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "flagdwire:", err)
		os.Exit(1)
	}
}

// generate runs both generators and writes what they make below dir.
func generate(bin, dir string) error {
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-connect-go"} {
		files, err := run(filepath.Join(bin, plugin))
		if err != nil {
			return fmt.Errorf("running %s: %w", plugin, err)
		}
		for _, f := range files {
			if err := write(filepath.Join(dir, f.GetName()), f.GetContent()); err != nil {
				return err
			}
		}
	}
	return nil
}

// run asks one generator, by the protocol of protoc's plugins.
func run(plugin string) ([]*pluginpb.CodeGeneratorResponse_File, error) {
	request, err := proto.Marshal(request())
	if err != nil {
		return nil, err
	}
	command := exec.Command(plugin)
	command.Stdin, command.Stderr = bytes.NewReader(request), os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, err
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &response); err != nil {
		return nil, err
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return response.File, nil
}

// request names the files, what they import, and where their code goes.
func request() *pluginpb.CodeGeneratorRequest {
	options := []string{"module=" + strings.TrimSuffix(room, "/")}
	r := &pluginpb.CodeGeneratorRequest{ProtoFile: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(structpb.File_google_protobuf_struct_proto)}}
	for _, f := range services {
		r.FileToGenerate = append(r.FileToGenerate, f.Path())
		r.ProtoFile = append(r.ProtoFile, current(protodesc.ToFileDescriptorProto(f)))
		options = append(options, "M"+f.Path()+"="+home(f))
	}
	parameter := strings.Join(options, ",")
	r.Parameter = &parameter
	return r
}

// current takes the marks of deprecation from a file. They are for clients; a
// server that serves old clients cannot do without what they ask for.
func current(f *descriptorpb.FileDescriptorProto) *descriptorpb.FileDescriptorProto {
	f.Options.Deprecated = nil
	for _, m := range f.MessageType {
		if m.Options != nil {
			m.Options.Deprecated = nil
		}
		for _, field := range m.Field {
			if field.Options != nil {
				field.Options.Deprecated = nil
			}
		}
	}
	for _, s := range f.Service {
		for _, method := range s.Method {
			if method.Options != nil {
				method.Options.Deprecated = nil
			}
		}
	}
	return f
}

// home is the import path of a file's code, with the package's name:
// flagd/evaluation/v1/evaluation.proto is package evaluationv1 in
// evaluation/v1.
func home(f protoreflect.FileDescriptor) string {
	dir := strings.TrimPrefix(path.Dir(f.Path()), "flagd/")
	return room + dir + ";" + strings.ReplaceAll(dir, "/", "")
}

func write(file, content string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), 0o644)
}
