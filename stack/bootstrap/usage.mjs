// What `npm start -- --help` says: before anything is installed or built.

export const usage = `npm start -- [options]
  --base <port>        first port (8000); services, their sidecars and databases take blocks above it
  --only <a,b>         these services only, with the broker and databases that they need
  --replicas <a=2,b=3> several of a service
  --data <folder>      where the data lies (.data/<profile>)
  --profile <name>     folder below components/: local, or cloud (DynamoDB API and Apache Kafka, emulated on this machine;
                       the first start builds and fetches them and needs Rust, Java and Maven)
  --fresh              throw the data away and begin anew
  --help               this text
Environment: DAPR_BIN (ready binaries), POSTGRES_URL (a server of yours), DEMO_PASSWORD`;
