package app

import "gopkg.in/yaml.v3"

type configCommand struct{}

// Run prints every key with the value in force.
func (configCommand) Run(env *environment) error {
	raw, err := yaml.Marshal(env.cfg.Effective())
	if err != nil {
		return err
	}
	_, err = env.stdout.Write(raw)
	return err
}
