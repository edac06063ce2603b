package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.Sessions.Session;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Methods.TaskRequest;
import dev.berth.portlayer.vsphere.vim.Service.DatastoreSummary;
import dev.berth.portlayer.vsphere.vim.Service.FileInfo;
import dev.berth.portlayer.vsphere.vim.Service.HostDatastoreBrowserSearchResults;
import dev.berth.portlayer.vsphere.vim.Service.HostDatastoreBrowserSearchSpec;
import dev.berth.portlayer.vsphere.vim.Tasks.TaskInfo;
import java.io.FileNotFoundException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one datastore. Every method fails with {@link PortLayerException}: UNAVAILABLE,
 * PERMISSION_DENIED (the user lacks a privilege), RESOURCE_EXHAUSTED (no space), INTERRUPTED.
 */
public final class DatastoreFiles {
  private static final Logger LOG = LoggerFactory.getLogger(DatastoreFiles.class);
  private static final int ATTEMPTS = 3;

  /** Bytes a second below which an upload has failed. */
  private static final long SLOWEST = 1 << 20;

  /** Of the work that vCenter does with files; copies of large disks take minutes. */
  private static final Duration DEADLINE = Duration.ofMinutes(30);

  private final VimClient client;
  private final PropertyStream tasks;
  private final ManagedObjectReference datacenter;
  private final String datacenterPath;
  private final ManagedObjectReference datastore;
  private final ManagedObjectReference browser;
  private final DatastorePath root;

  /**
   * @param datacenterPath its inventory path, as {@code DC0}
   * @param datastore in that datacenter
   */
  public DatastoreFiles(
      VimClient client,
      PropertyStream tasks,
      ManagedObjectReference datacenter,
      String datacenterPath,
      ManagedObjectReference datastore) {
    this.client = client;
    this.tasks = tasks;
    this.datacenter = datacenter;
    this.datacenterPath = datacenterPath;
    this.datastore = datastore;
    browser = require(datastore, "browser", ManagedObjectReference.class);
    root = new DatastorePath(require(datastore, "name", String.class), "");
  }

  private <T> T require(ManagedObjectReference object, String property, Class<T> type) {
    try {
      return client
          .property(object, property, type)
          .orElseThrow(() -> new PortLayerException(Code.INTERNAL, object + " has no " + property));
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  /** The datastore's root. */
  public DatastorePath root() {
    return root;
  }

  /** A file's bytes; empty when there is no such file. */
  public OptionalLong size(DatastorePath path) {
    HttpResponse<Void> answer = send(path, HttpRequest.Builder::HEAD, BodyHandlers.discarding());
    return answer.statusCode() == 404
        ? OptionalLong.empty()
        : OptionalLong.of(ok(path, answer).headers().firstValueAsLong("Content-Length").orElse(0));
  }

  /**
   * Some bytes of a file: fewer than asked for at its end, none behind it.
   *
   * @throws PortLayerException NOT_FOUND
   */
  public byte[] read(DatastorePath path, long offset, int length) {
    String range = "bytes=%d-%d".formatted(offset, offset + length - 1);
    HttpResponse<byte[]> answer =
        send(path, request -> request.GET().header("Range", range), BodyHandlers.ofByteArray());
    if (answer.statusCode() == 416) {
      return new byte[0];
    }
    byte[] body = ok(path, answer).body();
    boolean whole = answer.statusCode() == 200; // A server may leave the range unheeded.
    return whole
        ? Arrays.copyOfRange(
            body, (int) Math.min(offset, body.length), (int) Math.min(offset + length, body.length))
        : body;
  }

  /**
   * Uploads a file, which appears under its name when it is complete, in place of one that is
   * there. After a break it begins again; a datastore takes whole files only.
   *
   * @param target its folder exists; nobody else uploads it at the time
   */
  public void upload(Path source, DatastorePath target, Progress progress) {
    DatastorePath part = target.sibling("." + target.name() + ".part");
    long length = source.toFile().length();
    if (size(part).isPresent()) {
      delete(part); // What is of another upload must not be taken for this one's.
    }
    for (int attempt = 1; ; attempt++) {
      try {
        put(source, part, length, progress);
        break;
      } catch (PortLayerException e) {
        if (e.code() != Code.UNAVAILABLE) {
          throw e;
        }
        if (isComplete(part, length)) {
          break;
        }
        if (attempt == ATTEMPTS) {
          throw e;
        }
        LOG.warn("The upload of {} broke and begins again: {}", target, e.getMessage());
      }
    }
    finish(part, target, length);
  }

  private void finish(DatastorePath part, DatastorePath target, long length) {
    try {
      move(part, target);
    } catch (PortLayerException e) {
      boolean done =
          e.code() == Code.UNAVAILABLE && size(part).isEmpty() && isComplete(target, length);
      if (!done) {
        throw e;
      }
    }
  }

  private void put(Path source, DatastorePath part, long length, Progress progress) {
    // Learns first whether the session lives: a refusal amid the body looks like a broken upload.
    size(part);
    Duration timeout = client.settings().callTimeout().plusSeconds(length / SLOWEST);
    HttpResponse<Void> answer =
        client.inSession(
            session ->
                authenticated(
                    part,
                    client
                        .transport()
                        .sendOnce(
                            request(session, part).PUT(Progress.of(file(source), progress)).build(),
                            BodyHandlers.discarding(),
                            timeout)));
    ok(part, answer);
  }

  private static HttpRequest.BodyPublisher file(Path source) {
    try {
      return BodyPublishers.ofFile(source);
    } catch (FileNotFoundException e) {
      throw new PortLayerException(Code.NOT_FOUND, "there is no file " + source, e);
    }
  }

  private boolean isComplete(DatastorePath path, long length) {
    OptionalLong there = size(path);
    return there.isPresent() && there.getAsLong() == length;
  }

  /** Deletes a file, or a folder with all that is in it. Idempotent. */
  public void delete(DatastorePath path) {
    try {
      run(new Methods.DeleteDatastoreFile(path.toString(), datacenter));
    } catch (PortLayerException e) {
      if (e.code() != Code.NOT_FOUND) {
        throw e;
      }
    }
  }

  /** Gives a file or a folder another name, at once; a file that has it is replaced. */
  public void move(DatastorePath from, DatastorePath to) {
    run(
        new Methods.MoveDatastoreFile(
            from.toString(), datacenter, to.toString(), datacenter, true));
  }

  /** Makes a folder and those that it is in. Idempotent. */
  public void makeDirectory(DatastorePath path) {
    try {
      client.run(
          client.content().fileManager(),
          new Methods.MakeDirectory(path.toString(), datacenter, true));
    } catch (VimFault fault) {
      if (!fault.is("FileAlreadyExists")) {
        throw fault.toPortLayer();
      }
    }
  }

  /** Copies a virtual disk with all its files; nothing may be at the target. */
  public void copyDisk(DatastorePath from, DatastorePath to) {
    runOn(
        client.content().virtualDiskManager(),
        new Methods.CopyVirtualDisk(from.toString(), datacenter, to.toString(), datacenter));
  }

  /**
   * Makes a virtual disk, which no VM that is on has, larger: behind its end there are zeros.
   *
   * @param size bytes, whole KiB, no fewer than it has
   */
  public void extendDisk(DatastorePath disk, long size) {
    runOn(
        client.content().virtualDiskManager(),
        new Methods.ExtendVirtualDisk(disk.toString(), datacenter, size / 1024, false));
  }

  /** Makes an empty file, or empties one. Idempotent. */
  public void touch(DatastorePath path) {
    ok(path, send(path, r -> r.PUT(BodyPublishers.noBody()), BodyHandlers.discarding()));
  }

  /**
   * Gives a disk, which no VM has, its identity.
   *
   * @param uuid as {@link Methods.SetVirtualDiskUuid} takes it
   */
  public void setUuid(DatastorePath disk, String uuid) {
    try {
      client.run(
          client.content().virtualDiskManager(),
          new Methods.SetVirtualDiskUuid(disk.toString(), datacenter, uuid));
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  /** What the datastore has and has free. */
  public DatastoreSummary summary() {
    return require(datastore, "summary", DatastoreSummary.class);
  }

  /** The names in a folder; none when there is no such folder. */
  public List<String> list(DatastorePath folder) {
    try {
      TaskInfo task =
          runOn(
              browser,
              new Methods.SearchDatastore(
                  folder.toString(), HostDatastoreBrowserSearchSpec.matching(List.of("*"))));
      return task.result() == null
          ? List.of()
          : task.result().as(HostDatastoreBrowserSearchResults.class).file().stream()
              .map(FileInfo::path)
              .toList();
    } catch (PortLayerException e) {
      if (e.code() == Code.NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  private void run(TaskRequest request) {
    runOn(client.content().fileManager(), request);
  }

  private TaskInfo runOn(ManagedObjectReference manager, TaskRequest request) {
    try {
      return tasks.run(manager, request, DEADLINE);
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  private <T> HttpResponse<T> send(
      DatastorePath path,
      Function<HttpRequest.Builder, HttpRequest.Builder> method,
      BodyHandler<T> body) {
    return client.inSession(
        session ->
            authenticated(
                path,
                client
                    .transport()
                    .send(
                        method.apply(request(session, path)).build(),
                        body,
                        true,
                        client.settings().callTimeout())));
  }

  private HttpRequest.Builder request(Session session, DatastorePath path) {
    String escaped =
        Arrays.stream(path.path().split("/", -1))
            .map(VimClient::encode)
            .collect(Collectors.joining("/"));
    return client
        .transport()
        .request(
            "/folder/%s?dcPath=%s&dsName=%s"
                .formatted(
                    escaped, VimClient.encode(datacenterPath), VimClient.encode(path.datastore())))
        .header("Cookie", "vmware_soap_session=\"%s\"".formatted(session.id()));
  }

  private static <T> HttpResponse<T> authenticated(DatastorePath path, HttpResponse<T> answer) {
    if (answer.statusCode() == 401) {
      throw VimFault.notAuthenticated(path.toString());
    }
    return answer;
  }

  private static <T> HttpResponse<T> ok(DatastorePath path, HttpResponse<T> answer) {
    int status = answer.statusCode();
    if (status / 100 == 2) {
      return answer;
    }
    Code code =
        switch (status) {
          case 403 -> Code.PERMISSION_DENIED;
          case 404 -> Code.NOT_FOUND;
          case 507 -> Code.RESOURCE_EXHAUSTED;
          case 429, 500, 502, 503, 504 -> Code.UNAVAILABLE;
          default -> Code.INTERNAL;
        };
    throw new PortLayerException(
        code, "vCenter answered with status %d for the file %s".formatted(status, path));
  }
}
