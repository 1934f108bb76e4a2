package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"turnero/test/port"
)

// The variables in which tests find the servers.
const (
	PostgresEnv = "TURNERO_TEST_POSTGRES_URL"
	MySQLEnv    = "TURNERO_TEST_MYSQL_URL"
	RedisEnv    = "TURNERO_TEST_REDIS_URL"
)

// startTimeout bounds how long a server may take to answer.
const startTimeout = 60 * time.Second

// Set is the running servers.
type Set struct {
	Env  []string // NAME=URL of each
	dir  string
	cmds []*exec.Cmd
	log  io.Writer
}

type server struct {
	env     string
	name    string
	pkg     string // Debian's package
	program func() string
	start   func(ctx context.Context, s *Set) (url string, err error)
	always  bool // the program is needed even where the environment names a server: tests kill and restart their own
}

var all = []server{
	{env: PostgresEnv, name: "PostgreSQL", pkg: "postgresql", program: postgresProgram, start: startPostgres},
	{env: MySQLEnv, name: "MariaDB", pkg: "mariadb-server", program: func() string { return find("mariadbd", "/usr/sbin/mariadbd") }, start: startMariaDB},
	{env: RedisEnv, name: "Redis", pkg: "redis-server", program: redisProgram, start: startRedis, always: true},
}

// Start starts every server whose address the environment does not hold. On an error nothing is left running.
func Start(ctx context.Context, log io.Writer) (*Set, error) {
	dir, err := os.MkdirTemp("", "turnero-servers-")
	if err != nil {
		return nil, err
	}
	if err = os.Chmod(dir, 0o755); err != nil { // the servers run as users of their own
		return nil, err
	}
	s := &Set{dir: dir, log: log}
	if err = install(ctx, log); err != nil {
		s.Stop()
		return nil, err
	}
	for _, srv := range all {
		if v := os.Getenv(srv.env); v != "" {
			s.Env = append(s.Env, srv.env+"="+v)
			continue
		}
		url, err := srv.start(ctx, s)
		if err != nil {
			s.Stop()
			return nil, fmt.Errorf("start %s: %w", srv.name, err)
		}
		fmt.Fprintf(log, "servers: %s at %s\n", srv.name, url)
		s.Env = append(s.Env, srv.env+"="+url)
	}
	return s, nil
}

// Stop stops the servers and removes their data.
func (s *Set) Stop() {
	for _, cmd := range s.cmds {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range s.cmds {
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	}
	_ = os.RemoveAll(s.dir)
}

// install gets the missing programs from Debian's packages when that is possible.
func install(ctx context.Context, log io.Writer) error {
	var missing []string
	for _, srv := range all {
		if (srv.always || os.Getenv(srv.env) == "") && srv.program() == "" {
			missing = append(missing, srv.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Getuid() != 0 {
		return fmt.Errorf("missing: %s. Install them, or set %s and %s to running servers (Redis itself is needed in any case)", strings.Join(missing, ", "), PostgresEnv, MySQLEnv)
	}
	fmt.Fprintf(log, "servers: installing %s\n", strings.Join(missing, " "))
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		// The packages must not start servers of their own.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "PG_CREATE_MAIN_CLUSTER=false")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}

func find(name string, paths ...string) string {
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	for _, p := range paths {
		if matches, _ := filepath.Glob(p); len(matches) > 0 {
			return matches[len(matches)-1]
		}
	}
	return ""
}

func postgresProgram() string { return find("postgres", "/usr/lib/postgresql/*/bin/postgres") }

func startPostgres(ctx context.Context, s *Set) (string, error) {
	bin := filepath.Dir(postgresProgram())
	data, run, err := s.folder("postgres", "postgres")
	if err != nil {
		return "", err
	}
	if err = s.run(ctx, run, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return "", err
	}
	at, err := port.Free()
	if err != nil {
		return "", err
	}
	err = s.background(run, filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(at), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=300")
	if err != nil {
		return "", err
	}
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", at)
	return url, answering(ctx, at)
}

func startMariaDB(ctx context.Context, s *Set) (string, error) {
	data, run, err := s.folder("mariadb", "mysql")
	if err != nil {
		return "", err
	}
	installer := find("mariadb-install-db", "/usr/bin/mariadb-install-db")
	if err = s.run(ctx, run, installer, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db"); err != nil {
		return "", err
	}
	at, err := port.Free()
	if err != nil {
		return "", err
	}
	setup := filepath.Join(filepath.Dir(data), "setup.sql")
	grant := "CREATE USER 'test'@'127.0.0.1' IDENTIFIED BY 'test';\nGRANT ALL ON *.* TO 'test'@'127.0.0.1' WITH GRANT OPTION;\n"
	if err = os.WriteFile(setup, []byte(grant), 0o644); err != nil {
		return "", err
	}
	err = s.background(run, find("mariadbd", "/usr/sbin/mariadbd"), "--no-defaults", "--datadir="+data, fmt.Sprintf("--port=%d", at), "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(data, "s"), "--innodb-flush-log-at-trx-commit=2", "--max-connections=300", "--skip-name-resolve", "--init-file="+setup)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("mysql://test:test@127.0.0.1:%d/mysql", at), answering(ctx, at)
}

func redisProgram() string { return find("redis-server", "/usr/bin/redis-server") }

func startRedis(ctx context.Context, s *Set) (string, error) {
	data, run, err := s.folder("redis", "redis")
	if err != nil {
		return "", err
	}
	at, err := port.Free()
	if err != nil {
		return "", err
	}
	err = s.background(run, redisProgram(), "--port", strconv.Itoa(at), "--bind", "127.0.0.1", "--dir", filepath.Dir(data), "--save", "")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("redis://127.0.0.1:%d", at), answering(ctx, at)
}

// credential is the user that a server runs as; nil means the present one.
type credential = *syscall.SysProcAttr

// folder makes the data folder of a server, owned by the named user when we are root (these servers refuse to run as root).
func (s *Set) folder(name, owner string) (data string, run credential, err error) {
	base := filepath.Join(s.dir, name)
	data = filepath.Join(base, "data")
	run = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err = os.MkdirAll(base, 0o755); err != nil || os.Getuid() != 0 {
		return data, run, err
	}
	u, err := user.Lookup(owner)
	if err != nil {
		return "", nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	run.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return data, run, os.Chown(base, uid, gid)
}

func (s *Set) run(ctx context.Context, as credential, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.SysProcAttr, cmd.Dir = as, s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

// background starts a server that dies with this process.
func (s *Set) background(as credential, program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir = as, s.dir
	log, err := os.Create(filepath.Join(s.dir, filepath.Base(program)+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err = cmd.Start(); err != nil {
		return err
	}
	s.cmds = append(s.cmds, cmd)
	return nil
}

// answering waits until something accepts connections on the port.
func answering(ctx context.Context, at int) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", at), time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("it does not answer"), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
