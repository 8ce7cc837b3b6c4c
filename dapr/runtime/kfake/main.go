// Command kfake runs franz-go's Kafka-protocol broker on loopback, with its data on disk.
//
// Every topic must be named: a topic that was only auto-created is lost, with all
// acknowledged messages, when the process is killed (topics.json is not written then).
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// mostRebalanceMillis is above the consumers' session time-out of 6 s.
const mostRebalanceMillis = 8_000

func main() {
	port := flag.Int("port", 9092, "port on 127.0.0.1")
	dir := flag.String("data-dir", "", "folder for the log; empty keeps it in memory")
	partitions := flag.Int("partitions", 3, "partitions of each new topic")
	topics := flag.String("topics", "", "comma-separated topics to create")
	create := flag.Bool("create", false, "make the topics at the broker that runs on the port, and end")
	flag.Parse()
	names := strings.FieldsFunc(*topics, func(r rune) bool { return r == ',' })

	if *create {
		if err := createTopics(*port, names, int32(*partitions)); err != nil {
			fail(err)
		}
		return
	}
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.Ports(*port), kfake.ClusterID("local")}
	if *dir != "" {
		opts = append(opts, kfake.DataDir(*dir))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		fail(err)
	}
	cluster.ControlKey(int16(kmsg.JoinGroup), hastenRebalance)
	if err := watch(cluster); err != nil {
		fail(err)
	}
	for _, topic := range names {
		if err := cluster.CreateTopic(topic, int32(*partitions), nil); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			fail(fmt.Errorf("create topic %s: %w", topic, err))
		}
	}
	fmt.Println("ready", cluster.ListenAddrs()[0])

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	cluster.Close() // flushes the log and the offsets
}

// hastenRebalance bounds how long a group waits for a member that has died while it was joining. kfake gives such a
// member no session timer, and Dapr cannot set the client's rebalance time-out (60 s), which each join starts anew.
func hastenRebalance(request kmsg.Request) (kmsg.Response, error, bool) {
	if join, ok := request.(*kmsg.JoinGroupRequest); ok && join.RebalanceTimeoutMillis > mostRebalanceMillis {
		join.RebalanceTimeoutMillis = mostRebalanceMillis
	}
	return nil, nil, false // the broker itself answers
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "kfake:", err)
	os.Exit(1)
}
