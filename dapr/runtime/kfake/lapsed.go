package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// silence is above the consumers' session time-out of 6 s; a living member sends a heartbeat every second.
const silence = 8 * time.Second

// presence remembers when each member of a group was last heard of.
//
// kfake starts a member's session timer only when its answer could be written, so one that died while it waited in
// JoinGroup is a member without a timer; when the leader's SyncGroup comes, the group is stable, and the dead member
// keeps the partitions it was assigned for ever. Kafka's own session expires it, and so do we.
type presence struct {
	mu   sync.Mutex
	seen map[member]time.Time
}

type member struct{ group, id string }

// watch takes members that are silent for too long out of their groups, as Kafka's session expiry would.
func watch(cluster *kfake.Cluster) error {
	p := &presence{seen: map[member]time.Time{}}
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat} {
		cluster.ControlKey(int16(key), p.note)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		return err
	}
	go func() {
		for range time.Tick(2 * time.Second) {
			p.expire(client)
		}
	}()
	return nil
}

func (p *presence) note(request kmsg.Request) (kmsg.Response, error, bool) {
	switch r := request.(type) {
	case *kmsg.JoinGroupRequest:
		p.mark(member{r.Group, r.MemberID})
	case *kmsg.SyncGroupRequest:
		p.mark(member{r.Group, r.MemberID})
	case *kmsg.HeartbeatRequest:
		p.mark(member{r.Group, r.MemberID})
	}
	return nil, nil, false // the broker itself answers
}

func (p *presence) mark(m member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[m] = time.Now()
}

func (p *presence) forget(m member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seen, m)
}

// silent answers whether a member has lapsed; one that was never heard of gets its time from now on.
func (p *presence) silent(m member) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.seen[m]
	if !known {
		p.seen[m] = time.Now()
		return false
	}
	return time.Since(last) > silence
}

// expire takes lapsed members out of stable groups; the rest then share their partitions. Groups that are still
// joining or syncing have a timer of their own.
func (p *presence) expire(client *kgo.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	listed, err := kmsg.NewPtrListGroupsRequest().RequestWith(ctx, client)
	if err != nil {
		return
	}
	describe := kmsg.NewPtrDescribeGroupsRequest()
	for _, group := range listed.Groups {
		describe.Groups = append(describe.Groups, group.Group)
	}
	if len(describe.Groups) == 0 {
		return
	}
	described, err := describe.RequestWith(ctx, client)
	if err != nil {
		return
	}
	for _, group := range described.Groups {
		if group.State != "Stable" {
			continue
		}
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group = group.Group
		for _, m := range group.Members {
			if !p.silent(member{group.Group, m.MemberID}) {
				continue
			}
			p.forget(member{group.Group, m.MemberID})
			lapsed := kmsg.NewLeaveGroupRequestMember()
			lapsed.MemberID = m.MemberID
			leave.Members = append(leave.Members, lapsed)
		}
		if len(leave.Members) > 0 {
			_, _ = leave.RequestWith(ctx, client)
		}
	}
}
