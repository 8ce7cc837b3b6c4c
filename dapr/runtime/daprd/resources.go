package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// checkResources refuses to start on a resource file that cannot be read. daprd itself would warn, leave the file out
// and report ready: without its Resiliency a subscription has no retry, and the first delivery that fails sends healthy
// messages to the dead letters.
func checkResources(folders []string) error {
	for _, folder := range folders {
		files, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, file := range files {
			name := file.Name()
			if file.IsDir() || !(strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) {
				continue
			}
			if err := checkResource(filepath.Join(folder, name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func checkResource(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var resource struct {
		Kind     string `yaml:"kind"`
		Metadata struct {
			Name string `yaml:"name"`
		} `yaml:"metadata"`
		Spec map[string]any `yaml:"spec"`
	}
	if err := yaml.Unmarshal(text, &resource); err != nil {
		return err
	}
	if resource.Kind == "" || resource.Metadata.Name == "" || len(resource.Spec) == 0 {
		return fmt.Errorf("not a whole resource: kind, metadata.name and spec are needed")
	}
	return nil
}
