package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are what a run can be told.
type options struct {
	seed        int64
	duration    time.Duration
	calm        time.Duration // how long to wait for quiet at the end
	rest        time.Duration // mean pause between actions
	sessions    int
	people      int // chats of each session
	tenants     int
	instances   int
	rate        int // texts a second in each direction
	connections int // to the database, of each process
	database    string
	binary      string
	logLevel    string
	kinds       []string
	hasRedis    bool
	audits      bool
	keepsFrames bool
	keep        bool
	isSoak      bool
	measure     string
	rounds      int // of a measurement, of each kind
}

// mostLines is how many lines a business may have.
const mostLines = 50

func main() {
	o := options{}
	flag.Int64Var(&o.seed, "seed", 1, "where chance begins: equal seeds give equal plans")
	flag.DurationVar(&o.duration, "duration", 5*time.Minute, "how long things break")
	flag.DurationVar(&o.calm, "calm", 90*time.Second, "how long it may take at the end until everything has arrived")
	flag.DurationVar(&o.rest, "rest", 4*time.Second, "mean pause between two faults")
	flag.IntVar(&o.sessions, "sessions", 30, "lines")
	flag.IntVar(&o.people, "people", 3, "people that each line writes with")
	flag.IntVar(&o.tenants, "tenants", 4, "businesses that share the lines")
	flag.IntVar(&o.instances, "instances", 3, "processes")
	flag.IntVar(&o.rate, "rate", 20, "texts a second in each direction")
	flag.IntVar(&o.connections, "db-connections", 16, "connections of each process to the database")
	flag.StringVar(&o.database, "database", "postgres", "postgres or mysql (MariaDB)")
	flag.StringVar(&o.binary, "turnero", "bin/turnero", "the program")
	flag.StringVar(&o.logLevel, "log-level", "info", "of the processes")
	flag.BoolVar(&o.audits, "audit", true, "have the database compare every write with the owner")
	flag.BoolVar(&o.keepsFrames, "frames", true, "keep the network's log")
	flag.BoolVar(&o.keep, "keep", false, "keep logs and frames after a good run, too")
	flag.BoolVar(&o.isSoak, "soak", false, "one fault every 30 s, and memory and goroutines must stay flat")
	flag.StringVar(&o.measure, "measure", "", "measure instead of breaking: failover or restart")
	flag.IntVar(&o.rounds, "rounds", 3, "of a measurement, of each kind")
	flag.BoolVar(&o.hasRedis, "redis", true, "with -instances 1: whether the process has a Redis")
	faults := flag.String("faults", "", "only these faults, separated by commas; with a minus, all but these")
	list := flag.Bool("list", false, "print the faults there are")
	flag.Parse()
	if *list {
		for _, name := range kindNames() {
			fmt.Printf("%-14s %s\n", name, kinds[name].about)
		}
		return
	}
	err := o.complete(*faults)
	if err == nil {
		do := (*campaign).run
		if o.measure != "" {
			do = measurements[o.measure]
		}
		err = inCampaign(o, do)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// complete checks the options and fills in what follows from them.
func (o *options) complete(faults string) (err error) {
	if o.kinds, err = chooseKinds(faults); err != nil {
		return err
	}
	if !o.audits {
		o.kinds = slices.DeleteFunc(o.kinds, func(s string) bool { return s == "db-error" })
	}
	if o.sessions < 1 || o.people < 1 || o.instances < 1 || o.tenants < 1 || len(o.kinds) == 0 {
		return errors.New("there must be at least one line, person, process, business and fault")
	}
	if o.measure != "" && measurements[o.measure] == nil {
		return errors.New("restart and failover can be measured")
	}
	o.tenants = max(o.tenants, (o.sessions+mostLines-1)/mostLines)
	if o.isSoak && o.instances < 2 {
		return errors.New("a soak needs a process besides the one that it watches")
	}
	if !o.hasRedis {
		if o.instances > 1 {
			return errors.New("several processes need a Redis")
		}
		o.kinds = slices.DeleteFunc(o.kinds, func(s string) bool { return kinds[s].needsRedis })
	}
	if strings.Contains(o.binary, "/") {
		o.binary, err = filepath.Abs(o.binary)
	}
	return err
}

// inCampaign does something with a running installation and takes it down afterwards.
func inCampaign(o options, do func(*campaign, context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := newCampaign(ctx, o, os.Stdout)
	if err == nil {
		err = do(c, ctx)
	}
	return errors.Join(err, c.close(o.keep || err != nil))
}
