package boot

import (
	"os"
	"strings"
)

// each reads an attribute of everything that a directory of sysfs lists, until see has seen enough. What lacks the attribute is left out.
func each(directory, attribute string, see func(name, value string) (enough bool)) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		content, err := os.ReadFile(directory + "/" + entry.Name() + "/" + attribute)
		if err == nil && see(entry.Name(), strings.TrimSpace(string(content))) {
			return nil
		}
	}
	return nil
}
