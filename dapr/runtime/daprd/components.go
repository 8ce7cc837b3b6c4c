package main

import (
	"github.com/dapr/components-contrib/bindings/postgres"
	"github.com/dapr/components-contrib/bindings/smtp"
	"github.com/dapr/components-contrib/nameresolution/sqlite"
	"github.com/dapr/components-contrib/pubsub/kafka"
	"github.com/dapr/components-contrib/secretstores/local/file"
	statedynamodb "github.com/dapr/components-contrib/state/aws/dynamodb"
	stateinmemory "github.com/dapr/components-contrib/state/in-memory"
	statepostgres "github.com/dapr/components-contrib/state/postgresql/v2"
	stateredis "github.com/dapr/components-contrib/state/redis"
	statesqlite "github.com/dapr/components-contrib/state/sqlite"
	"github.com/dapr/dapr/pkg/components"
	bindingsloader "github.com/dapr/dapr/pkg/components/bindings"
	nameresolutionloader "github.com/dapr/dapr/pkg/components/nameresolution"
	pubsubloader "github.com/dapr/dapr/pkg/components/pubsub"
	secretstoresloader "github.com/dapr/dapr/pkg/components/secretstores"
	stateloader "github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/dapr/pkg/runtime/registry"
	"github.com/dapr/kit/logger"

	configurationloader "github.com/dapr/dapr/pkg/components/configuration"
	conversationloader "github.com/dapr/dapr/pkg/components/conversation"
	cryptoloader "github.com/dapr/dapr/pkg/components/crypto"
	lockloader "github.com/dapr/dapr/pkg/components/lock"
	middlewareloader "github.com/dapr/dapr/pkg/components/middleware/http"
)

// registerComponents names every component type a YAML file may ask for.
// Importing cmd/daprd/components instead would compile some 170 drivers.
func registerComponents(log, contribLog logger.Logger) *registry.Options {
	stateloader.DefaultRegistry.RegisterComponent(statesqlite.NewSQLiteStateStore, "sqlite")
	stateloader.DefaultRegistry.RegisterComponent(statedynamodb.NewDynamoDBStateStore, "aws.dynamodb")
	stateloader.DefaultRegistry.RegisterComponent(stateinmemory.NewInMemoryStateStore, "in-memory")
	stateloader.DefaultRegistry.RegisterComponent(stateredis.NewRedisStateStore, "redis")
	// Only v2 is offered, also when the YAML forgets `version`: v1 keeps other tables and xmin ETags.
	stateloader.DefaultRegistry.RegisterComponentWithVersions("postgresql", components.Versioning{
		Preferred: components.VersionConstructor{Version: "v2", Constructor: statepostgres.NewPostgreSQLStateStore},
		Default:   "v2",
	})
	pubsubloader.DefaultRegistry.RegisterComponent(kafka.NewKafka, "kafka")
	bindingsloader.DefaultRegistry.RegisterOutputBinding(postgres.NewPostgres, "postgresql")
	bindingsloader.DefaultRegistry.RegisterOutputBinding(smtp.NewSMTP, "smtp")
	nameresolutionloader.DefaultRegistry.RegisterComponent(sqlite.NewResolver, "sqlite")
	secretstoresloader.DefaultRegistry.RegisterComponent(file.NewLocalSecretStore, "local.file")

	secretstoresloader.DefaultRegistry.Logger = contribLog
	stateloader.DefaultRegistry.Logger = contribLog
	cryptoloader.DefaultRegistry.Logger = contribLog
	configurationloader.DefaultRegistry.Logger = contribLog
	lockloader.DefaultRegistry.Logger = contribLog
	pubsubloader.DefaultRegistry.Logger = contribLog
	nameresolutionloader.DefaultRegistry.Logger = contribLog
	bindingsloader.DefaultRegistry.Logger = contribLog
	conversationloader.DefaultRegistry.Logger = contribLog
	middlewareloader.DefaultRegistry.Logger = log

	return registry.NewOptions().
		WithSecretStores(secretstoresloader.DefaultRegistry).
		WithStateStores(stateloader.DefaultRegistry).
		WithConfigurations(configurationloader.DefaultRegistry).
		WithLocks(lockloader.DefaultRegistry).
		WithPubSubs(pubsubloader.DefaultRegistry).
		WithNameResolutions(nameresolutionloader.DefaultRegistry).
		WithBindings(bindingsloader.DefaultRegistry).
		WithCryptoProviders(cryptoloader.DefaultRegistry).
		WithHTTPMiddlewares(middlewareloader.DefaultRegistry).
		WithConversations(conversationloader.DefaultRegistry)
}
