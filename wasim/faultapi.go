package wasim

import (
	"net/http"
	"strconv"
)

func (n *Network) postFault(r *http.Request) (int, any, error) {
	var in Fault
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	fault, err := n.Fault(in)
	return http.StatusCreated, fault, err
}

func (n *Network) getFaults(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]any{"items": n.Faults(), "kinds": FaultKinds()}, nil
}

func (n *Network) deleteFaults(*http.Request) (int, any, error) {
	n.ClearFaults()
	return http.StatusNoContent, nil, nil
}

func (n *Network) deleteFault(r *http.Request) (int, any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0, nil, invalid("id", "must be a number")
	}
	return http.StatusNoContent, nil, n.ClearFault(id)
}

func (n *Network) postRestriction(r *http.Request) (int, any, error) {
	var in struct {
		Type    string  `json:"type"`
		Seconds float64 `json:"seconds"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Seconds < 0 || in.Seconds > maxFaultDuration {
		return 0, nil, invalid("seconds", "must be from 0 to a year")
	}
	phone, err := n.Restrict(r.PathValue("number"), in.Type, seconds(in.Seconds))
	return http.StatusOK, phone, err
}

func (n *Network) deleteRestriction(r *http.Request) (int, any, error) {
	phone, err := n.Lift(r.PathValue("number"))
	return http.StatusOK, phone, err
}
