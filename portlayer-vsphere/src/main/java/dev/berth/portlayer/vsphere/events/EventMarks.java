package dev.berth.portlayer.vsphere.events;

import dev.berth.portlayer.vsphere.vim.Events.Event;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Up to where vCenter's events have been told, in a file, so that the next control plane goes on
 * from there. Used by one thread at a time.
 */
final class EventMarks {
  private static final Logger LOG = LoggerFactory.getLogger(EventMarks.class);
  private static final JsonMapper JSON = JsonMapper.shared();

  /**
   * Keys ascend with time; those of a vCenter that was restored from a backup begin lower again.
   */
  private static final Duration DISORDER = Duration.ofMinutes(1);

  private final Path file;
  private final String vcenter;
  private final Map<String, Mark> marks = new HashMap<>();

  /** The last event told. */
  record Mark(int key, Instant time) {
    boolean isBefore(Event event) {
      return event.key() > key || event.createdTime().isAfter(time.plus(DISORDER));
    }
  }

  /**
   * @param vcenter which one it is: keys of another mean nothing
   */
  private record Saved(String vcenter, Map<String, Mark> marks) {}

  /** Reads the file; what cannot be read is as if it were not there. */
  EventMarks(Path file, String vcenter) {
    this.file = file;
    this.vcenter = vcenter;
    try {
      Saved saved = JSON.readValue(Files.readAllBytes(file), Saved.class);
      if (saved.vcenter().equals(vcenter)) {
        marks.putAll(saved.marks());
      } else {
        LOG.info("{} is of another vCenter: events are told from now on", file);
      }
    } catch (NoSuchFileException first) {
      LOG.debug("Events of vCenter are told from now on");
    } catch (IOException | JacksonException | NullPointerException e) {
      LOG.warn("{} cannot be read, events of vCenter are told from now on: {}", file, e.toString());
    }
  }

  Optional<Mark> get(String source) {
    return Optional.ofNullable(marks.get(source));
  }

  void put(String source, Mark mark) {
    marks.put(source, mark);
  }

  /** What cannot be written is told twice at worst. */
  void save() {
    try {
      Path part = file.resolveSibling(file.getFileName() + ".part");
      Files.write(part, JSON.writeValueAsBytes(new Saved(vcenter, marks)));
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      LOG.warn("{} is on a file system that cannot rename", file);
    } catch (IOException e) {
      LOG.warn("{} cannot be written: {}", file, e.toString());
    }
  }
}
