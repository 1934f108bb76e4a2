package auth

// HashRuns tells how often the service has run the password hash function.
func (s *Service) HashRuns() int64 { return s.hasher.runs.Load() }
