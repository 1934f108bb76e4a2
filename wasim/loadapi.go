package wasim

import (
	"net/http"
	"strconv"
)

func (n *Network) postLoad(r *http.Request) (int, any, error) {
	var in Load
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	report, err := n.Load(in)
	return http.StatusCreated, report, err
}

func (n *Network) getLoads(*http.Request) (int, any, error) {
	return http.StatusOK, items{n.Loads()}, nil
}

func (n *Network) getLoad(r *http.Request) (int, any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0, nil, invalid("id", "must be a number")
	}
	report, err := n.LoadReport(id)
	return http.StatusOK, report, err
}

func (n *Network) deleteLoad(r *http.Request) (int, any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0, nil, invalid("id", "must be a number")
	}
	report, err := n.StopLoad(id)
	return http.StatusOK, report, err
}
