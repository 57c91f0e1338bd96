package web

import (
	"net/http"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
)

// reviewRoutes are the pages about candidates, votes, policy, environments and
// history.
func (s *Server) reviewRoutes() []route {
	const one = "/projects/{project}/candidates/{candidate}"
	return []route{
		{GET, "/projects/{project}/candidates", login, ledger.ActionRead, s.getCandidates},
		{POST, "/projects/{project}/candidates", login, ledger.ActionPropose, s.postCandidate},
		{GET, "/projects/{project}/candidates/new", login, ledger.ActionPropose, s.getPropose},
		{GET, one, login, ledger.ActionRead, s.getCandidate},
		{GET, one + "/gate", login, ledger.ActionRead, s.getGate},
		{GET, one + "/vote", login, ledger.ActionVote, s.getVote},
		{POST, one + "/vote", login, ledger.ActionVote, s.postVote},
		{GET, one + "/unvote", login, ledger.ActionVote, s.getUnvote},
		{POST, one + "/unvote", login, ledger.ActionVote, s.postUnvote},
		{GET, one + "/confirm", login, ledger.ActionVote, s.getConfirm},
		{POST, one + "/confirm", login, ledger.ActionVote, s.postConfirm},
		{GET, one + "/withdraw", login, ledger.ActionWithdraw, s.getRevoke},
		{POST, one + "/withdraw", login, ledger.ActionWithdraw, s.postRevoke},
		{POST, one + "/comments", login, ledger.ActionComment, s.postComment},
		{POST, one + "/measure", login, ledger.ActionCompare, s.postMeasure},
		{POST, one + "/rebase", login, ledger.ActionPropose, s.postRebase},
		{GET, one + "/evidence.zip", login, ledger.ActionRead, s.getEvidenceZip},
		{GET, one + "/evidence/{file}", login, ledger.ActionRead, s.getEvidence},
		{POST, "/projects/{project}/looks", login, ledger.ActionVote, s.postLook},
		{GET, "/projects/{project}/policy", login, ledger.ActionRead, s.getPolicy},
		{POST, "/projects/{project}/policy", login, ledger.ActionManage, s.postPolicy},
		{GET, "/projects/{project}/environments", login, ledger.ActionRead, s.getEnvironments},
		{GET, "/history", login, ledger.ActionAdminister, s.getWholeHistory},
		{POST, "/history/check", login, ledger.ActionAdminister, s.postWholeHistoryCheck},
		{GET, "/projects/{project}/history", login, ledger.ActionRead, s.getHistory},
		{POST, "/projects/{project}/history/check", login, ledger.ActionExport, s.postHistoryCheck},
		{GET, "/history/export", login, ledger.ActionAdminister, s.getWholeHistoryFile},
		{GET, "/projects/{project}/history/export", login, ledger.ActionExport, s.getHistoryFile},
		{GET, apiPrefix + "/history/export", either, ledger.ActionAdminister, s.getWholeHistoryFile},
		{GET, apiPrefix + "/projects/{project}/history/export", either, ledger.ActionExport, s.getHistoryFile},
	}
}

func linkOf(r *http.Request) page.ProjectLink {
	p := projectOf(r)
	return page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
}
