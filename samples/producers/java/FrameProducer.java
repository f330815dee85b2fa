// Publishes option quotes as Arrow frames: `java ... FrameProducer.java BOOTSTRAP TOPIC < quotes.csv`, a quote a line:
// underlying,expiry,strike,right,bid,ask,ts_event (2026-07-17, C or P, nanoseconds UTC). The format is docs/connect/wire-format.md.

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

public final class FrameProducer {
    static final int ROWS = 2_000;

    record Quote(String underlying, LocalDate expiry, double strike, String right, double bid, double ask, long time) {
        static Quote of(String line) {
            String[] field = line.split(",");
            return new Quote(field[0], LocalDate.parse(field[1]), Double.parseDouble(field[2]), field[3],
                    Double.parseDouble(field[4]), Double.parseDouble(field[5]), Long.parseLong(field[6]));
        }

        /** All quotes of an underlying go to one partition, chosen as Kafka's partitioner would by its name. */
        int partition(int partitions) {
            return Utils.toPositive(Utils.murmur2(underlying.getBytes(StandardCharsets.UTF_8))) % partitions;
        }
    }

    /** The columns of a frame; one batch, no compression. */
    static byte[] frame(List<Quote> quotes, BufferAllocator memory) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var underlying = new VarCharVector("underlying", memory);
                var expiry = new DateDayVector("expiry", memory);
                var strike = new Float8Vector("strike", memory);
                var right = new VarCharVector("right", memory);
                var bid = new Float8Vector("bid", memory);
                var ask = new Float8Vector("ask", memory);
                var time = new BigIntVector("ts_event", memory)) {
            for (int row = 0; row < quotes.size(); row++) {
                Quote quote = quotes.get(row);
                underlying.setSafe(row, quote.underlying().getBytes(StandardCharsets.UTF_8));
                expiry.setSafe(row, (int) quote.expiry().toEpochDay());
                strike.setSafe(row, quote.strike());
                right.setSafe(row, quote.right().getBytes(StandardCharsets.UTF_8));
                bid.setSafe(row, quote.bid());
                ask.setSafe(row, quote.ask());
                time.setSafe(row, quote.time());
            }
            var root = VectorSchemaRoot.of(underlying, expiry, strike, right, bid, ask, time);
            root.setRowCount(quotes.size());
            try (var writer = new ArrowStreamWriter(root, null, Channels.newChannel(bytes))) {
                writer.writeBatch();
            }
        }
        return bytes.toByteArray();
    }

    static void send(KafkaProducer<byte[], byte[]> producer, String topic, int partition, String contentType, byte[] value) {
        var message = new ProducerRecord<byte[], byte[]>(topic, partition, null, value);
        message.headers().add("content-type", contentType.getBytes(StandardCharsets.UTF_8));
        producer.send(message, (stored, error) -> {
            if (error != null) {
                error.printStackTrace();
                Runtime.getRuntime().halt(1);
            }
        });
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, Object> options = Map.of("bootstrap.servers", arguments[0], "acks", "all", "compression.type", "gzip", "linger.ms", 5);
        var serializer = new ByteArraySerializer();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (var producer = new KafkaProducer<>(options, serializer, serializer); var memory = new RootAllocator()) {
            int partitions = producer.partitionsFor(arguments[1]).size();
            var waiting = new TreeMap<Integer, List<Quote>>();
            long last = 0;
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                Quote quote = Quote.of(line);
                last = Math.max(last, quote.time());
                List<Quote> mine = waiting.computeIfAbsent(quote.partition(partitions), none -> new ArrayList<>());
                mine.add(quote);
                if (mine.size() == ROWS) {
                    send(producer, arguments[1], quote.partition(partitions), "application/vnd.apache.arrow.stream", frame(mine, memory));
                    mine.clear();
                }
            }
            for (var left : waiting.entrySet()) {
                if (!left.getValue().isEmpty()) {
                    send(producer, arguments[1], left.getKey(), "application/vnd.apache.arrow.stream", frame(left.getValue(), memory));
                }
            }
            byte[] beat = "{\"ts_event\": %d}".formatted(last).getBytes(StandardCharsets.UTF_8);
            for (int partition = 0; partition < partitions; partition++) {
                send(producer, arguments[1], partition, "application/vnd.dispersion.heartbeat+json", beat);
            }
        }
    }
}
