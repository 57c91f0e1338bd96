package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// Identity shows that people, logins, tokens, links and roles come back as they
// were written.
func Identity(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		at := time.Date(2026, 3, 1, 10, 0, 0, 123000, time.UTC)
		update := func(f func(*store.Tx) error) error { t.Helper(); return s.Update(t.Context(), f) }
		must := func(f func(*store.Tx) error) {
			t.Helper()
			if err := update(f); err != nil {
				t.Fatal(err)
			}
		}
		anna := identity.Person{ID: "p1", Username: "anna", Name: "Anna Ω", TimeZone: "Europe/Berlin", Admin: true, Password: "x", CreatedAt: at, ChangedAt: at, AskedAt: at,
			Preferences: identity.Preferences{Language: "de", TextSize: "xl", LockAfter: 5, Unseen: true, Untimed: true, Unnotified: true, Keys: "label.skip=Alt+S"}}
		bo := identity.Person{ID: "p2", Username: "bo", Name: "Bo", Disabled: true, CreatedAt: at, ChangedAt: at}
		must(func(tx *store.Tx) error { return tx.CreatePerson(anna) })
		must(func(tx *store.Tx) error { return tx.CreatePerson(bo) })

		t.Run("a username belongs to one person", func(t *testing.T) {
			twin := identity.Person{ID: "p3", Username: "anna", Name: "Other"}
			if err := update(func(tx *store.Tx) error { return tx.CreatePerson(twin) }); !fault.Is(err, fault.Conflict) {
				t.Errorf("create: %v", err)
			}
			taken := bo
			taken.Username = "anna"
			if err := update(func(tx *store.Tx) error { return tx.UpdatePerson(taken) }); !fault.Is(err, fault.Conflict) {
				t.Errorf("update: %v", err)
			}
		})
		t.Run("a browser is known until its time is over", func(t *testing.T) {
			until := at.Add(time.Hour)
			for range 2 { // again at every sign-in
				must(func(tx *store.Tx) error { return tx.KnowBrowser("k1", until) })
			}
			known := func(key identity.Hash) (got time.Time) {
				t.Helper()
				if err := s.View(t.Context(), func(tx *store.Tx) (err error) { got, err = tx.KnownBrowser(key); return err }); err != nil {
					t.Fatal(err)
				}
				return got
			}
			if got := known("k1"); !got.Equal(until) || !known("k2").IsZero() {
				t.Errorf("known until %v, a stranger until %v", got, known("k2"))
			}
			must(func(tx *store.Tx) error { return tx.DeleteExpired(until.Add(time.Second)) })
			if got := known("k1"); !got.IsZero() {
				t.Errorf("still known until %v", got)
			}
		})
		t.Run("people come back whole and by name", func(t *testing.T) {
			err := s.View(t.Context(), func(tx *store.Tx) error {
				if got, err := tx.PersonByUsername("anna"); err != nil || got != anna {
					t.Errorf("got %+v, %v", got, err)
				}
				if got, err := tx.Person("p2"); err != nil || got != bo {
					t.Errorf("got %+v, %v", got, err)
				}
				if _, err := tx.Person("p9"); !fault.Is(err, fault.NotFound) {
					t.Errorf("a stranger: %v", err)
				}
				all, err := tx.People()
				if len(all) != 2 || all[0] != anna || all[1] != bo {
					t.Errorf("all = %+v", all)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		t.Run("a project's wish to lock is read with whoever may open it", func(t *testing.T) {
			wants := func(person string) (minutes int) {
				t.Helper()
				if err := s.View(t.Context(), func(tx *store.Tx) error {
					p, err := tx.Person(ledger.PersonID(person))
					minutes = p.Demanded
					return err
				}); err != nil {
					t.Fatal(err)
				}
				return minutes
			}
			for slug, minutes := range map[string]int{"ward": 7, "lab": 3} {
				must(func(tx *store.Tx) error {
					err := tx.CreateProject(labeling.Project{ID: ledger.ProjectID(slug), Slug: slug, Name: slug, SchemaVersion: 1, Overlap: 1, CreatedAt: at})
					return errors.Join(err, tx.SetProjectLock(ledger.ProjectID(slug), minutes))
				})
			}
			if a, b := wants("p1"), wants("p2"); a != 3 || b != 0 {
				t.Errorf("an admin is asked for %d minutes, want 3; somebody without a role for %d, want none", a, b)
			}
			must(func(tx *store.Tx) error {
				return tx.AddMembership(identity.Membership{Project: "ward", Person: "p2", Role: ledger.RoleAnnotator})
			})
			if b := wants("p2"); b != 7 {
				t.Errorf("a member is asked for %d minutes, want 7", b)
			}
			must(func(tx *store.Tx) error {
				_, err := tx.RemoveMembership(identity.Membership{Project: "ward", Person: "p2", Role: ledger.RoleAnnotator})
				return errors.Join(err, tx.SetProjectLock("ward", 0), tx.SetProjectLock("lab", 0))
			})
		})
		t.Run("logins end one by one, all but one, and by time", func(t *testing.T) {
			login := func(id string, expires time.Duration) identity.Login {
				return identity.Login{ID: identity.LoginID(id), Person: "p1", Hash: identity.HashOf(id), CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(expires), Agent: "ua", Address: "::1"}
			}
			for i, id := range []string{"l1", "l2", "l3", "l4"} {
				must(func(tx *store.Tx) error { return tx.CreateLogin(login(id, time.Duration(i)*time.Hour)) })
			}
			must(func(tx *store.Tx) error { return tx.TouchLogin("l2", at.Add(time.Minute), at.Add(2*time.Minute)) })
			must(func(tx *store.Tx) error { return tx.DeleteExpired(at.Add(time.Minute)) }) // l1
			if err := update(func(tx *store.Tx) error { return tx.DeleteLogin("p2", "l2") }); !fault.Is(err, fault.NotFound) {
				t.Errorf("somebody else's login: %v", err)
			}
			must(func(tx *store.Tx) error {
				got, err := tx.LoginByHash(identity.HashOf("l2"))
				want := login("l2", 0)
				want.SeenAt, want.ExpiresAt = at.Add(time.Minute), at.Add(2*time.Minute)
				if got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				return err
			})
			must(func(tx *store.Tx) error { return tx.DeleteLogin("p1", "l2") })
			must(func(tx *store.Tx) error { return tx.DeleteLogins("p1", "l4") })
			must(func(tx *store.Tx) error {
				left, err := tx.Logins("p1")
				if len(left) != 1 || left[0].ID != "l4" {
					t.Errorf("left = %+v", left)
				}
				return err
			})
		})
		t.Run("a login is locked and opened", func(t *testing.T) {
			must(func(tx *store.Tx) error { return tx.LockLogin("l4", at.Add(time.Second)) })
			must(func(tx *store.Tx) error {
				got, err := tx.LoginByHash(identity.HashOf("l4"))
				if !got.LockedAt.Equal(at.Add(time.Second)) {
					t.Errorf("locked at %v", got.LockedAt)
				}
				return err
			})
			must(func(tx *store.Tx) error { return tx.LockLogin("l4", time.Time{}) })
			must(func(tx *store.Tx) error {
				got, err := tx.LoginByHash(identity.HashOf("l4"))
				if !got.LockedAt.IsZero() {
					t.Errorf("locked at %v", got.LockedAt)
				}
				return err
			})
		})
		t.Run("a group's roles are its members'", func(t *testing.T) {
			must(func(tx *store.Tx) error {
				return tx.CreateGroup(identity.Group{ID: "g1", Name: "Night", CreatedAt: at})
			})
			if err := update(func(tx *store.Tx) error { return tx.CreateGroup(identity.Group{ID: "g2", Name: "Night"}) }); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second group of the name: %v", err)
			}
			changed := func(what string, want bool, f func(*store.Tx) (bool, error)) {
				t.Helper()
				must(func(tx *store.Tx) error {
					got, err := f(tx)
					if got != want {
						t.Errorf("%s: changed %v", what, got)
					}
					return err
				})
			}
			role := identity.GroupRole{Project: "night", Role: ledger.RoleReviewer}
			changed("join", true, func(tx *store.Tx) (bool, error) { return tx.AddGroupMember("g1", "p1") })
			changed("join again", false, func(tx *store.Tx) (bool, error) { return tx.AddGroupMember("g1", "p1") })
			changed("grant", true, func(tx *store.Tx) (bool, error) { return tx.AddGroupRole("g1", role) })
			changed("grant again", false, func(tx *store.Tx) (bool, error) { return tx.AddGroupRole("g1", role) })
			must(func(tx *store.Tx) error {
				return tx.AddMembership(identity.Membership{Project: "night", Person: "p1", Role: ledger.RoleReviewer})
			})
			must(func(tx *store.Tx) error {
				held, err := tx.HeldIn("night")
				if len(held) != 1 || held[0].Person != "p1" || held[0].Role != ledger.RoleReviewer {
					t.Errorf("held twice by one: %+v", held)
				}
				if voters, err := tx.FindVoters("night"); err != nil || len(voters) != 1 {
					t.Errorf("voters = %+v, %v", voters, err)
				}
				groups, err2 := tx.Groups()
				if len(groups) != 1 || len(groups[0].Members) != 1 || len(groups[0].Roles) != 1 || groups[0].Roles[0] != role || !groups[0].CreatedAt.Equal(at) {
					t.Errorf("groups = %+v", groups)
				}
				return errors.Join(err, err2)
			})
			changed("revoke", true, func(tx *store.Tx) (bool, error) { return tx.RemoveGroupRole("g1", role) })
			changed("leave", true, func(tx *store.Tx) (bool, error) { return tx.RemoveGroupMember("g1", "p1") })
			changed("leave again", false, func(tx *store.Tx) (bool, error) { return tx.RemoveGroupMember("g1", "p1") })
			changed("take the own role", true, func(tx *store.Tx) (bool, error) {
				return tx.RemoveMembership(identity.Membership{Project: "night", Person: "p1", Role: ledger.RoleReviewer})
			})
			changed("join", true, func(tx *store.Tx) (bool, error) { return tx.AddGroupMember("g1", "p1") })
			must(func(tx *store.Tx) error { return tx.DeleteGroup("g1") }) // with its members
			must(func(tx *store.Tx) error {
				groups, err := tx.Groups()
				if len(groups) != 0 {
					t.Errorf("groups = %+v", groups)
				}
				_, err2 := tx.Traces("p1")
				return errors.Join(err, err2)
			})
		})
		t.Run("who somebody is at a provider belongs to one person", func(t *testing.T) {
			nora := identity.ProviderIdentity{Issuer: "https://sso", Subject: "u-1", Person: "p1", Email: "nora@old.example", CreatedAt: at, UsedAt: at}
			must(func(tx *store.Tx) error { return tx.CreateProviderIdentity(nora) })
			if err := update(func(tx *store.Tx) error {
				return tx.CreateProviderIdentity(identity.ProviderIdentity{Issuer: "https://sso", Subject: "u-1", Person: "p2"})
			}); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second person: %v", err)
			}
			must(func(tx *store.Tx) error {
				return tx.CreateProviderIdentity(identity.ProviderIdentity{Issuer: "https://other", Subject: "u-1", Person: "p2", CreatedAt: at, UsedAt: at})
			})
			must(func(tx *store.Tx) error {
				return tx.TouchProviderIdentity("https://sso", "u-1", "nora@new.example", at.Add(time.Hour))
			})
			nora.UsedAt, nora.Email = at.Add(time.Hour), "nora@new.example"
			must(func(tx *store.Tx) error {
				got, err := tx.ProviderIdentity("https://sso", "u-1")
				if got != nora {
					t.Errorf("got %+v", got)
				}
				if all, err := tx.ProviderIdentities("p1"); err != nil || len(all) != 1 || all[0] != nora {
					t.Errorf("all = %+v, %v", all, err)
				}
				if _, err := tx.ProviderIdentity("https://sso", "U-1"); !fault.Is(err, fault.NotFound) {
					t.Errorf("another subject: %v", err)
				}
				if p, err := tx.Person("p1"); err != nil || !p.Linked {
					t.Errorf("linked %v, %v", p.Linked, err)
				}
				return err
			})
			must(func(tx *store.Tx) error { return tx.CreateGroup(identity.Group{ID: "g9", Name: "Ward", CreatedAt: at}) })
			for _, want := range []bool{true, false} {
				must(func(tx *store.Tx) error {
					added, err := tx.AddProviderGroup(identity.ProviderGroup{Name: "/ward", Group: "g9"})
					if added != want {
						t.Errorf("added %v, want %v", added, want)
					}
					return err
				})
			}
			must(func(tx *store.Tx) error {
				_, err := tx.AddGroupMember("g9", "p1")
				_, err2 := tx.AddGroupMember("g9", "p2")
				return errors.Join(err, err2, tx.MarkProvided("g9", "p1"))
			})
			must(func(tx *store.Tx) error {
				theirs, err := tx.ProvidedGroups("p1")
				mine, err2 := tx.ProvidedGroups("p2")
				if len(theirs) != 1 || theirs[0] != "g9" || len(mine) != 0 {
					t.Errorf("provided: %v and %v", theirs, mine)
				}
				groups, err3 := tx.Groups()
				if len(groups) != 1 || len(groups[0].Names) != 1 || groups[0].Names[0] != "/ward" {
					t.Errorf("groups = %+v", groups)
				}
				return errors.Join(err, err2, err3)
			})
			must(func(tx *store.Tx) error {
				removed, err := tx.RemoveProviderGroup(identity.ProviderGroup{Name: "/ward", Group: "g9"})
				if !removed {
					t.Error("the row was not there")
				}
				return errors.Join(err, tx.DeleteGroup("g9"), tx.DeleteProviderIdentities("p1"))
			})
			must(func(tx *store.Tx) error {
				p, err := tx.Person("p1")
				if p.Linked {
					t.Error("still linked")
				}
				return err
			})
		})
		t.Run("a role remembers who gave and confirmed it until it is taken away", func(t *testing.T) {
			m := identity.Membership{Project: "grants", Person: "p1", Role: ledger.RoleReviewer}
			given := identity.Grant{Project: "grants", Holder: "p1", Role: ledger.RoleReviewer, GrantedBy: "p2", GrantedAt: at}
			later := given
			later.GrantedBy, later.GrantedAt = "p1", at.Add(time.Hour)
			confirmed := given
			confirmed.ConfirmedBy, confirmed.ConfirmedAt = "p2", at.Add(2*time.Hour)
			must(func(tx *store.Tx) error {
				return errors.Join(tx.AddMembership(m), tx.NoteGrant(given), tx.NoteGrant(later), tx.ConfirmGrant(confirmed))
			})
			must(func(tx *store.Tx) error {
				got, err := tx.Grants("grants")
				if len(got) != 1 || got[0] != confirmed {
					t.Errorf("got %+v", got)
				}
				return err
			})
			must(func(tx *store.Tx) error {
				_, err := tx.RemoveMembership(m)
				return err
			})
			must(func(tx *store.Tx) error {
				got, err := tx.Grants("")
				if len(got) != 0 {
					t.Errorf("left %+v", got)
				}
				return err
			})
			must(func(tx *store.Tx) error {
				return errors.Join(tx.TouchUse("grants", "p1", at.Add(time.Hour)), tx.TouchUse("grants", "p1", at))
			})
			must(func(tx *store.Tx) error {
				got, err := tx.Uses("grants")
				if len(got) != 1 || got[0] != (identity.Use{Project: "grants", Person: "p1", At: at.Add(time.Hour)}) {
					t.Errorf("used %+v", got)
				}
				return err
			})
		})
		t.Run("tokens are found by hash, used and revoked", func(t *testing.T) {
			token := identity.Token{ID: "t1", Person: "p1", Name: "CI", Scope: ledger.ScopeGate, Hash: identity.HashOf("s"), Hint: "adj_x", CreatedAt: at}
			other := identity.Token{ID: "t2", Person: "p2", Name: "x", Scope: ledger.ScopeRead, Hash: identity.HashOf("o"), CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
			must(func(tx *store.Tx) error { return tx.CreateToken(token) })
			must(func(tx *store.Tx) error { return tx.CreateToken(other) })
			must(func(tx *store.Tx) error { return tx.TouchToken("t1", at.Add(time.Minute)) })
			must(func(tx *store.Tx) error { return tx.RevokeToken("t1", at.Add(2*time.Minute)) })
			token.UsedAt, token.RevokedAt = at.Add(time.Minute), at.Add(2*time.Minute)
			must(func(tx *store.Tx) error {
				if got, err := tx.TokenByHash(identity.HashOf("s")); err != nil || got != token {
					t.Errorf("got %+v, %v", got, err)
				}
				if got, err := tx.TokenByID("t2"); err != nil || got != other {
					t.Errorf("got %+v, %v", got, err)
				}
				mine, err := tx.Tokens("p1")
				if err != nil || len(mine) != 1 {
					t.Errorf("mine = %+v, %v", mine, err)
				}
				all, err := tx.Tokens("")
				if len(all) != 2 {
					t.Errorf("all = %+v", all)
				}
				return err
			})
		})
		t.Run("a link is followed once", func(t *testing.T) {
			link := identity.Link{Hash: identity.HashOf("k"), Purpose: identity.PurposeWelcome, Person: "p1", CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
			must(func(tx *store.Tx) error { return tx.CreateLink(link) })
			must(func(tx *store.Tx) error {
				if got, err := tx.LinkByHash(link.Hash); err != nil || got != link {
					t.Errorf("got %+v, %v", got, err)
				}
				found, err := tx.DeleteLink(link.Hash)
				if !found {
					t.Error("the link is not there")
				}
				return err
			})
			must(func(tx *store.Tx) error {
				found, err := tx.DeleteLink(link.Hash)
				if found {
					t.Error("the link is still there")
				}
				return err
			})
		})
		t.Run("roles are held once per project", func(t *testing.T) {
			m := identity.Membership{Project: "j1", Person: "p1", Role: ledger.RoleLead}
			must(func(tx *store.Tx) error { return tx.AddMembership(m) })
			must(func(tx *store.Tx) error { return tx.AddMembership(m) })
			must(func(tx *store.Tx) error {
				return tx.AddMembership(identity.Membership{Project: "j2", Person: "p1", Role: ledger.RoleAuditor})
			})
			must(func(tx *store.Tx) error {
				if here, err := tx.Members("j1"); err != nil || len(here) != 1 || here[0] != m {
					t.Errorf("here = %v, %v", here, err)
				}
				if all, err := tx.Members(""); err != nil || len(all) != 2 {
					t.Errorf("all = %v, %v", all, err)
				}
				if mine, err := tx.Memberships("p1"); err != nil || len(mine) != 2 {
					t.Errorf("mine = %v, %v", mine, err)
				}
				held, err := tx.RemoveMembership(m)
				if !held {
					t.Error("the role is not held")
				}
				return err
			})
			must(func(tx *store.Tx) error {
				held, err := tx.RemoveMembership(m)
				if held {
					t.Error("the role is still held")
				}
				return err
			})
		})
	})
}
