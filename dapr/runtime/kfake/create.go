package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// createWithin is how long a broker that just opened its port may take until it makes topics.
const createWithin = 20 * time.Second

// createTopics makes the topics at a broker that runs elsewhere: one that has its own program, such as Apache Kafka.
// A topic that is there keeps its partitions.
func createTopics(port int, topics []string, partitions int32) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(fmt.Sprintf("127.0.0.1:%d", port)))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), createWithin)
	defer cancel()

	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = int32(createWithin.Milliseconds())
	for _, name := range topics {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
		request.Topics = append(request.Topics, topic)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, topic := range response.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", topic.Topic, err)
		}
	}
	return awaitLeaders(ctx, client, topics)
}

// awaitLeaders waits until every partition can be written: topics exist before their partitions have a leader, and Dapr's
// producer gives a message up meanwhile.
func awaitLeaders(ctx context.Context, client *kgo.Client, topics []string) error {
	request := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		request.Topics = append(request.Topics, topic)
	}
	for {
		response, err := request.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		if haveLeaders(response) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func haveLeaders(response *kmsg.MetadataResponse) bool {
	for _, topic := range response.Topics {
		if topic.ErrorCode != 0 {
			return false
		}
		for _, partition := range topic.Partitions {
			if partition.ErrorCode != 0 || partition.Leader < 0 {
				return false
			}
		}
	}
	return true
}
