/** What stands in the place of pictures, or above them: nothing logged, trouble. */
import { plural } from "../format";
import { index, indexError } from "../state";

const EXAMPLE = `import tb_filterviz as filterviz

with tf.summary.create_file_writer("logs").as_default():
    filterviz.summary("cnn", model, step=0)`;

export function Empty() {
  return (
    <div class="empty">
      <h2>No filter data was found.</h2>
      <p>Either none was logged yet, as these lines do, or TensorBoard looks below another --logdir.</p>
      <pre>{EXAMPLE}</pre>
      <p>What is logged later appears here within some seconds.</p>
    </div>
  );
}

/** The server cannot be reached, or its list is of no use; what is on the screen stays. */
export function ServerTrouble() {
  return indexError() ? (
    <div class="trouble" role="alert">
      ⚠ {indexError()}
    </div>
  ) : null;
}

/** Data that are damaged or cannot be read; the others are shown. */
export function Problems() {
  const problems = index()?.problems ?? [];
  return problems.length ? (
    <details class="trouble">
      <summary>⚠ {plural(problems.length, "problem")} in the logs</summary>
      {problems.map(({ run, tag, step, message }) => (
        <div key={[run, tag, step, message].join()}>
          <b>{[run, tag, step !== null && `step ${step}`].filter(Boolean).join(" · ")}</b>: {message}
        </div>
      ))}
    </details>
  ) : null;
}
