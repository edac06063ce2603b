package guestinfo

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"berth.dev/tether/boot"
)

// ReadConfig reads the boot configuration, which is JSON or base64 of it, and may have neither certificate nor key.
func ReadConfig(door Door) (*boot.Config, error) {
	text, err := door.Get(ConfigKey)
	if err != nil {
		return nil, fmt.Errorf("read the boot configuration: %w", err)
	}
	if text == "" {
		return nil, fmt.Errorf("there is no boot configuration: %s is empty", ConfigKey)
	}
	content := []byte(text)
	if !strings.HasPrefix(text, "{") {
		if content, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("%s is neither JSON nor base64: %w", ConfigKey, err)
		}
	}
	config, err := boot.ParseConfigWithoutKey(content)
	if err != nil {
		return nil, err
	}
	if len(config.Process) > 0 || len(config.Entropy) > 0 {
		return nil, errors.New("the boot configuration has process or entropy: guestinfo is no place for secrets, the control session is")
	}
	return config, nil
}
