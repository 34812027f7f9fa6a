//go:build tools

// Package tools names the language host whose modules go.mod and go.sum pin.
package tools

import (
	_ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
)
